# A psql process that runs statements in the background, as a user's would: it can be interrupted with Ctrl-C, killed,
# and read while it runs.
package EtlCall;

use strict;
use warnings FATAL => 'all';

use IPC::Run;
use PostgreSQL::Test::Utils;

my $count = 0;

sub new {
  my ($class, $node, $psql, $connection, $statements) = @_;
  my @statements = ref $statements ? @$statements : ($statements);
  my $self = bless { node => $node, name => 'call_' . ++$count, out => '', err => '' }, $class;
  $self->{process} = IPC::Run::start(
    [ $psql, '-XAtq', '-v', 'VERBOSITY=verbose', '-d', "$connection application_name=$self->{name}",
      map { ('-c', $_) } @statements ],
    '<', \undef, '>', \$self->{out}, '2>', \$self->{err},
    IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
  return $self;
}

# Ctrl-C.
sub interrupt { my ($self) = @_; $self->{process}->signal('INT'); return $self }

# Kills the client, not its session in the server.
sub kill_client { my ($self) = @_; $self->{process}->signal('KILL'); return $self }

# Waits until psql has ended; returns the call.
sub finish {
  my ($self) = @_;
  eval { $self->{process}->finish; 1 } or $self->{err} .= "ERROR:  psql did not end: $@";
  return $self;
}

sub is_running { my ($self) = @_; return $self->{process}->pumpable && eval { $self->{process}->pump_nb; 1 } }

sub output { my ($self) = @_; return $self->{out} }

# What psql has printed beside results, so far.
sub messages {
  my ($self) = @_;
  $self->{process}->pump_nb if $self->{process}->pumpable;
  return $self->{err};
}

# The process id of its session in the server, once it is there.
sub backend {
  my ($self) = @_;
  my $query = "FROM pg_stat_activity WHERE application_name = '$self->{name}' AND state = 'active'";
  $self->{node}->poll_query_until('postgres', "SELECT count(*) = 1 $query") or return;
  return $self->{node}->safe_psql('postgres', "SELECT pid $query");
}

# The last error that the server has sent: sqlstate, message, detail, hint, context; empty if there was none.
sub failure {
  my ($self) = @_;
  my %failure;
  my $field;
  for my $line (split /\n/, $self->{err}) {
    if ($line =~ /^(?:psql:\S*\s+)?(ERROR|FATAL):\s+([0-9A-Z]{5}): (.*)/) {
      %failure = (sqlstate => $2, message => $3);
      $field = 'message';
    } elsif ($line =~ /^(DETAIL|HINT|CONTEXT|LOCATION|NOTICE|WARNING|LOG|INFO): +(.*)/) {
      $field = lc $1;
      $failure{$field} = $2 if %failure;
    } elsif (%failure) {
      $failure{$field} .= "\n$line";
    }
  }
  return \%failure;
}

1;
