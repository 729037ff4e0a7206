#!/usr/bin/env perl
# Writes the six source files of the demo, with the kinds of dirt that real exports have.
#
#   generate_data.pl [--customers N] [--seed N] DIRECTORY
#
# Everything in them is invented. The same options give the same files, byte for byte. What is wrong with
# them, on purpose, so that the silver layer has something to do:
#
#   crm cust_info      test rows without an id, customers delivered twice, padded or empty names and codes
#   crm prd_info       end dates before start dates, missing costs, codes with a blank behind them
#   crm sales_details  order dates 0 or too short; amounts missing, zero, negative or contradictory
#   erp CUST_AZ12      keys with and without the prefix NAS, birth dates to come, five ways to write a gender
#   erp LOC_A101       keys with a dash, countries as names and as codes, blank or n/a; a byte order mark
#   erp PX_CAT_G1V2    a category whose code the CRM writes differently
#
# Lines end in CRLF; three of the files lack the last one.
use v5.20;
use strict;
use warnings;
use utf8;

use File::Path qw(make_path);
use Getopt::Long qw(GetOptions);
use List::Util qw(max min);
use Time::Local qw(timegm);

my $usage = <<'END';
Usage: generate_data.pl [--customers N] [--seed N] DIRECTORY

Writes source_crm/ and source_erp/ with six CSV files into DIRECTORY.

  --customers N   how many customers, 100 to 1000000 (default 2000); about three sales each
  --seed N        other content of the same kind (default 1)
  --help          this text
END

my ($customer_count, $seed, $help) = (2000, 1);
GetOptions('customers=i' => \$customer_count, 'seed=i' => \$seed, 'help' => \$help) or die $usage;
if ($help) {
    print $usage;
    exit 0;
}
die $usage if @ARGV != 1;
die "generate_data.pl: --customers must be from 100 to 1000000, not $customer_count\n"
    if $customer_count < 100 || $customer_count > 1_000_000;
my $directory = shift @ARGV;
srand $seed;

# --- chance and dates ---------------------------------------------------------------------------------

sub any_of { return $_[ rand @_ ] }
sub chance { return rand() < $_[0] }
sub between { my ($low, $high) = @_; return $low + int rand($high - $low + 1) }

# Some rows to spoil: a share of them, but at least $least so that small data sets have each kind of
# dirt. Takes them out of the list, so that no row is spoiled twice.
sub take_some {
    my ($rows, $share, $least) = @_;
    my $wanted = min(scalar @$rows, max($least, int(@$rows * $share)));
    return map { splice @$rows, rand @$rows, 1 } 1 .. $wanted;
}

# Days since 1970, so that dates can be added to.
sub day { my ($year, $month, $day) = @_; return timegm(0, 0, 0, $day, $month - 1, $year) / 86400 }

sub date_with {
    my ($format, $day) = @_;
    my (undef, undef, undef, $mday, $month, $year) = gmtime($day * 86400);
    return sprintf $format, $year + 1900, $month + 1, $mday;
}
sub iso { return date_with('%04d-%02d-%02d', shift) }
sub digits { return date_with('%04d%02d%02d', shift) }

# --- files --------------------------------------------------------------------------------------------

sub write_csv {
    my ($name, $header, $rows, %how) = @_;
    my $path = "$directory/$name";
    open my $file, '>:raw:encoding(UTF-8)', $path or die "generate_data.pl: cannot write $path: $!\n";
    print {$file} "\x{FEFF}" if $how{byte_order_mark};
    print {$file} join("\r\n", $header, map { join ',', @$_ } @$rows);
    print {$file} "\r\n" unless $how{no_last_newline};
    close $file or die "generate_data.pl: cannot write $path: $!\n";
    printf "  %-30s %7d rows\n", $name, scalar @$rows;
}

# --- the catalogue ------------------------------------------------------------------------------------

my %category = (
    AC_BA => ['Accessories', 'Baskets',        'No'],
    AC_BE => ['Accessories', 'Bells',          'No'],
    AC_HM => ['Accessories', 'Hard Hats',      'No'],
    AC_LM => ['Accessories', 'Lamps',          'Yes'],
    AC_PL => ['Accessories', 'Padlocks',       'Yes'],
    AC_TK => ['Accessories', 'Tool Kits',      'No'],
    AC_TU => ['Accessories', 'Tubes',          'No'],
    BI_CB => ['Bikes',       'City Bikes',     'Yes'],
    BI_EB => ['Bikes',       'Electric Bikes', 'Yes'],
    BI_GB => ['Bikes',       'Gravel Bikes',   'Yes'],
    BI_TR => ['Bikes',       'Trail Bikes',    'Yes'],
    CL_MI => ['Clothing',    'Mittens',        'No'],
    CL_RC => ['Clothing',    'Rain Coats',     'No'],
    CL_SC => ['Clothing',    'Scarves',        'No'],
    CL_SW => ['Clothing',    'Sweaters',       'No'],
    CO_FR => ['Components',  'Frames',         'Yes'],
    CO_GR => ['Components',  'Grips',          'No'],
    CO_PD => ['Components',  'Pedals',         'Yes'],
    CO_RM => ['Components',  'Rims',           'Yes'],
    CO_SP => ['Components',  'Seat Posts',     'No'],
);

my @bike_sizes = (46, 50, 54, 58);
my @coat_sizes = qw(S M L XL);
my @one_size = ('');
my %colour = (A => 'Amber', G => 'Graphite', M => 'Moss', P => 'Plum', S => 'Slate');

# category as the CRM writes it, code, name, line, cost, price, colours, sizes, versions
my @models = (
    ['BI-CB', 'HAV10', 'Haverline 10',        'S', 310,  540,  'AGM', \@bike_sizes, 2],
    ['BI-CB', 'HAV30', 'Haverline 30',        'S', 465,  830,  'GP',  \@bike_sizes, 3],
    ['BI-EB', 'VOL20', 'Voltaro 20',          'T', 1180, 1990, 'GS',  \@bike_sizes, 1],
    ['BI-EB', 'VOL50', 'Voltaro 50',          'T', 1725, 2890, 'AS',  \@bike_sizes, 2],
    ['BI-GB', 'KIE15', 'Kiesling 15',         'R', 640,  1090, 'MS',  \@bike_sizes, 2],
    ['BI-GB', 'KIE45', 'Kiesling 45',         'R', 1090, 1870, 'AG',  \@bike_sizes, 3],
    ['BI-TR', 'BRA25', 'Brackenfoot 25',      'M', 720,  1240, 'MP',  \@bike_sizes, 3],
    ['BI-TR', 'BRA75', 'Brackenfoot 75',      'M', 1520, 2560, 'GM',  \@bike_sizes, 1],
    ['AC-BA', 'WI200', 'Wicker Basket',       'T', 11,   24,   '',    \@one_size,   2],
    ['AC-BE', 'DI101', 'Dingo Bell',          'S', 3,    8,    'AGP', \@one_size,   1],
    ['AC-HM', 'KO330', 'Kokosnoot Hat',       'S', 17,   39,   'AGM', \@one_size,   3],
    ['AC-LM', 'GL410', 'Glimmer Lamp',        'R', 14,   29,   '',    \@one_size,   2],
    ['AC-LM', 'GL480', 'Glimmer Lamp Bright', 'M', 26,   55,   '',    \@one_size,   1],
    ['AC-PL', 'TR007', 'Trusty Padlock',      'S', 9,    19,   '',    \@one_size,   1],
    ['AC-TK', 'PA512', 'Pannikin Tool Kit',   'S', 12,   27,   '',    \@one_size,   2],
    ['AC-TU', 'ST028', 'Stout Tube',          'R', 2,    5,    '',    \@one_size,   3],
    ['AC-TU', 'ST042', 'Stout Tube Wide',     'M', 2,    6,    '',    \@one_size,   3],
    ['CL-MI', 'FR061', 'Frostnip Mittens',    'S', 10,   22,   'GP',  \@coat_sizes, 1],
    ['CL-RC', 'DR118', 'Drizzle Coat',        'S', 33,   69,   'AM',  \@coat_sizes, 2],
    ['CL-SC', 'LO015', 'Long Scarf',          'S', 6,    15,   'PS',  \@one_size,   1],
    ['CL-SW', 'HE222', 'Heather Sweater',     'T', 24,   49,   'MP',  \@coat_sizes, 3],
    ['CO-FR', 'KF450', 'Kiesling Frame',      'R', 380,  690,  'AG',  \@bike_sizes, 3],
    ['CO-FR', 'BF750', 'Brackenfoot Frame',   'M', 455,  810,  'GM',  \@bike_sizes, 2],
    ['CO-GR', 'CO012', 'Cork Grips',          '',  4,    11,   '',    \@one_size,   1],
    ['CO-PE', 'FL201', 'Flat Pedal',          'M', 13,   29,   '',    \@one_size,   1],
    ['CO-PE', 'FL203', 'Narrow Pedal',        'R', 16,   34,   '',    \@one_size,   1],
    ['CO-RM', 'AL622', 'Alder Rim',           '',  31,   62,   '',    \@one_size,   2],
    ['CO-SP', 'LI272', 'Lift Seat Post',      '',  19,   41,   '',    \@one_size,   1],
);

my $first_year = 2021;  # of the products' first versions, and of sales
my (@products, @bikes, @other_goods);

for my $model (@models) {
    my ($crm_category, $code, $name, $line, $cost, $price, $colours, $sizes, $versions) = @$model;
    for my $colour_code ($colours ? split(//, $colours) : '') {
        for my $size (@$sizes) {
            my $key = join '-', $code, grep { $_ ne '' } $colour_code, $size;
            my $full_name = join '- ', $name, grep { $_ ne '' } $colour{$colour_code} // '', $size;
            for my $version (1 .. $versions) {
                my $start = day($first_year + 3 - $versions + $version - 1, 7, 1);
                # A version that is over got an end date, but one from before it began.
                my $end = $version < $versions ? iso($start - 1283 - 5 * $version) : '';
                my $cost_now = int($cost * (0.94 + 0.06 * $version) + 0.5);
                push @products, [300 + @products, "$crm_category-$key", $full_name, $cost_now,
                    $line eq '' ? '' : "$line ", iso($start), $end];
            }
            next if $crm_category =~ /^CO/;  # components are built in, not sold
            push @{ $crm_category =~ /^BI/ ? \@bikes : \@other_goods }, { key => $key, price => $price };
        }
    }
}
$_->[3] = '' for take_some([@products], 0, 2);

# --- customers ----------------------------------------------------------------------------------------

my @given_names = (
    qw(Alwin Brisa Calder Dorit Edvin Fenja Gustel Hella Iven Jorun Kasimir Liva Mattis Nuria Odil Perrin
       Quentin Rosalie Sander Tilda Ulrik Vanja Wendel Xenia Yorick Zita Amadou Bente Corvin Delphine),
    'Zoë', 'Søren', 'Märta', 'Inés', 'Anne Lou',
);
my @name_beginnings = qw(Ash Birk Cald Dorn Elm Fenn Gorse Haw Iver Juni Kell Lin Marl Nett Oster Pell Quill Row
    Sedge Thorn Ulm Vetch Wick Yar);
my @name_endings = qw(acre by combe dale enfield ford gate holm inger ley mere ner over quist stead ton wald worth);

# country as the ERP writes it, and how often
my @countries = map { ($_->[0]) x $_->[1] } (
    ['Netherlands', 19], ['United States', 17], ['USA', 13], ['US', 8], ['Denmark', 12], ['Canada', 9],
    ['Germany', 8], ['DE', 4], ['Ireland', 8],
);

my @customers;
my $created = day(2024, 7, 3);
for my $number (1 .. $customer_count) {
    $created += between(1, 9) if chance(12 / $customer_count);
    my $id = 40_000 + $number;
    push @customers, {
        id       => $id,
        key      => sprintf('VK%08d', $id),
        first    => any_of(@given_names),
        last     => any_of(@name_beginnings) . any_of(@name_endings),
        marital  => chance(0.54) ? 'M' : 'S',
        gender   => any_of(qw(F M)),
        created  => $created,
        birthday => between(day(1941, 1, 1), day(2004, 12, 31)),
        country  => any_of(@countries),
    };
}

sub crm_row {
    my ($customer, %instead) = @_;
    my %row = (%$customer, %instead);
    return [@row{qw(id key first last marital)}, $row{gender}, iso($row{created})];
}

my @crm_customers = map { crm_row($_, gender => chance(0.25) ? '' : $_->{gender}) } @customers;

my @clean = @crm_customers;
$_->[4] = '' for take_some(\@clean, 0.0004, 3);
for my $row (take_some(\@clean, 0.002, 12)) {
    my $column = any_of(2, 3);
    $row->[$column] = any_of(' ', '  ', '') . $row->[$column] . any_of(' ', '  ');
}
for my $row (take_some(\@clean, 0.001, 6)) {
    my $column = any_of(2, 3);
    $row->[$column] = ' ' . $row->[$column];
}

# Customers who were delivered before they were complete; the last of them twice.
my @twice = @customers[ -min(8, scalar @customers) .. -1 ];
my @early;
push @early, crm_row($_, first => '', marital => '', gender => '', created => $_->{created} - 2) for @twice;
push @early, crm_row($twice[-1], gender => '', created => $twice[-1]{created} - 1);
splice @crm_customers, -@twice, 0, @early;
push @crm_customers, map { [ '', $_, '', '', '', '', '' ] } qw(TEST7 QX41 88120443 B02tmp);

# --- what the ERP knows about them --------------------------------------------------------------------

my $prefixed = int(0.6 * $customer_count);
my @erp_people = map {
    my $customer = $customers[$_];
    [ ($_ < $prefixed ? 'NAS' : '') . $customer->{key}, iso($customer->{birthday}),
      chance(0.08) ? '' : $customer->{gender} eq 'F' ? 'Female' : 'Male' ]
} 0 .. $#customers;

@clean = @erp_people;
my @not_born_yet = qw(2051-03-14 2067-11-02 2066-08-30 2983-05-21 9999-10-07 9999-02-12);
$_->[1] = any_of(@not_born_yet) for take_some(\@clean, 0.0009, 6);
$_->[1] = '19' . between(16, 24) . '-0' . between(1, 9) . '-1' . between(0, 9) for take_some(\@clean, 0.0009, 4);
for my $row (take_some(\@clean, 0.0005, 8)) {
    my $letter = substr $row->[2], 0, 1;
    $row->[2] = any_of($letter, "$letter ", ' ', '  ');
}

my @erp_places = map { [ substr($_->{key}, 0, 2) . '-' . substr($_->{key}, 2), $_->{country} ] } @customers;
@clean = @erp_places;
$_->[1] = '' for take_some(\@clean, 0.018, 5);
$_->[1] = any_of(' ', '  ', '   ') for take_some(\@clean, 0.0003, 3);
$_->[1] = 'n/a' for take_some(\@clean, 0.0003, 2);
$_->[1] .= ' ' for take_some(\@clean, 0.0003, 4);

# --- sales --------------------------------------------------------------------------------------------

my ($first_day, $last_day) = (day($first_year, 7, 1), day($first_year + 3, 6, 28));
my @orders;
for my $customer (@customers) {
    for (1 .. any_of(1, 1, 1, 2, 2, 3)) {
        # The square root makes business grow.
        my $day = $first_day + int(sqrt(rand) * ($last_day - $first_day));
        my %basket;
        if (chance(0.35)) {
            my $bike = any_of(@bikes);
            $basket{ $bike->{key} } = $bike->{price};
        }
        for (1 .. between(%basket ? 0 : 1, 3)) {
            my $good = any_of(@other_goods);
            $basket{ $good->{key} } = $good->{price};
        }
        push @orders, { day => $day, customer => $customer->{id}, basket => \%basket };
    }
}
@orders = sort { $a->{day} <=> $b->{day} || $a->{customer} <=> $b->{customer} } @orders;

my @sales;
my $order_number = 70_000;
for my $order (@orders) {
    $order_number++;
    my $day = $order->{day};
    for my $key (sort keys %{ $order->{basket} }) {
        my $price = $order->{basket}{$key};
        my $quantity = chance(0.004) ? between(2, 5) : 1;
        push @sales, [ "VO$order_number", $key, $order->{customer}, digits($day), digits($day + 6), digits($day + 10),
            $price * $quantity, $quantity, $price ];
    }
}

my ($order_date, $amount, $quantity, $price) = (3, 6, 7, 8);  # columns
@clean = @sales;
$_->[$order_date] = 0 for take_some(\@clean, 0.0003, 6);
$_->[$order_date] = any_of(32154 + between(0, 99), 5400 + between(0, 99)) for take_some(\@clean, 0.00003, 2);
$_->[$amount] = '' for take_some(\@clean, 0.00013, 4);
$_->[$amount] = 0 for take_some(\@clean, 0.00003, 2);
$_->[$amount] *= -1 for take_some(\@clean, 0.00005, 3);
$_->[$price] = '' for take_some(\@clean, 0.0001, 4);
$_->[$price] = 0 for take_some(\@clean, 0.00003, 2);
$_->[$price] *= -1 for take_some(\@clean, 0.0001, 4);
$_->[$quantity] = any_of(2, 3, 4) for take_some(\@clean, 0.0001, 4);
$_->[$amount] = between(1, 60) for take_some(\@clean, 0.0001, 4);

# --- write --------------------------------------------------------------------------------------------

make_path("$directory/source_crm", "$directory/source_erp", { error => \my $problems });
for my $problem (@$problems) {
    my ($path, $reason) = %$problem;
    die "generate_data.pl: cannot make $path: $reason\n";
}

write_csv('source_crm/cust_info.csv',
    'cst_id,cst_key,cst_firstname,cst_lastname,cst_marital_status,cst_gndr,cst_create_date',
    \@crm_customers, no_last_newline => 1);
write_csv('source_crm/prd_info.csv',
    'prd_id,prd_key,prd_nm,prd_cost,prd_line,prd_start_dt,prd_end_dt', \@products);
write_csv('source_crm/sales_details.csv',
    'sls_ord_num,sls_prd_key,sls_cust_id,sls_order_dt,sls_ship_dt,sls_due_dt,sls_sales,sls_quantity,sls_price',
    \@sales);
write_csv('source_erp/CUST_AZ12.csv', 'CID,BDATE,GEN', \@erp_people, no_last_newline => 1);
write_csv('source_erp/LOC_A101.csv', 'CID,CNTRY', \@erp_places, byte_order_mark => 1);
write_csv('source_erp/PX_CAT_G1V2.csv', 'ID,CAT,SUBCAT,MAINTENANCE',
    [ map { [ $_, @{ $category{$_} } ] } sort keys %category ], no_last_newline => 1);
