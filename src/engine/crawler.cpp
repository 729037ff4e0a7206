#include "engine/crawler.h"

#include "crawl/names.h"
#include "crawl/types.h"
#include "engine/crawl_scan.h"
#include "locations/glob.h"
#include "pg/engine_rights.h"
#include "pg/guard.h"
#include "pg/relations.h"
#include "pg/transaction.h"

namespace etl {

namespace {

const std::array<crawl::TableColumn, 3> kProvenance = {
    {{"_source_file", "text"}, {"_source_row", "bigint"}, {"_loaded_at", "timestamptz"}}};

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : "; ") + text;
  return all;
}

// Runs a statement with the current user's rights. Needs an open Spi.
void execute(const std::string& sql) {
  const char* text = sql.c_str();
  pg::guard([&] {
    const int result = SPI_execute(text, false, 0);
    if (result < 0) elog(ERROR, "could not run a statement: %s", SPI_result_code_string(result));
  });
}

// The jobs that the crawler made, and that still belong to its owner.
std::vector<CrawledJob> read_jobs(const Crawler& crawler) {
  static pg::Statement read{
      "SELECT job_name, table_name, file_path, reader_options, is_enabled FROM setup.load_jobs "
      "WHERE layer = $1 AND crawler = $2 AND location = $3 AND owner_oid = $4 ORDER BY job_name",
      {TEXTOID, TEXTOID, TEXTOID, OIDOID}};
  const pg::EngineRights rights;
  const pg::Spi spi;
  const pg::Rows rows = read.run(
      {pg::value(crawler.layer), pg::value(crawler.name), pg::value(crawler.location), pg::value(crawler.owner_oid)});
  std::vector<CrawledJob> jobs;
  for (int i = 0; i < rows.size(); ++i)
    jobs.push_back(
        {rows.text(i, 0), rows.text(i, 1), rows.text(i, 2), parse_reader_options(rows.text(i, 3)), rows.boolean(i, 4)});
  return jobs;
}

bool job_exists(const std::string& layer, const std::string& job) {
  static pg::Statement find{"SELECT FROM setup.load_jobs WHERE layer = $1 AND job_name = $2", {TEXTOID, TEXTOID}};
  const pg::EngineRights rights;
  const pg::Spi spi;
  return find.run({pg::value(layer), pg::value(job)}).size() > 0;
}

std::vector<crawl::TableColumn> read_columns(Oid table) {
  static pg::Statement read{
      "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
      "WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
      {OIDOID}};
  const pg::EngineRights rights;
  const pg::Spi spi;
  const pg::Rows rows = read.run({pg::value(table)});
  std::vector<crawl::TableColumn> columns;
  for (int i = 0; i < rows.size(); ++i) columns.push_back({rows.text(i, 0), rows.text(i, 1)});
  return columns;
}

std::vector<crawl::ColumnMapping> mapping_of(const CrawledJob* job) {
  std::vector<crawl::ColumnMapping> mapping;
  if (job != nullptr)
    for (const KnownColumn& known : job->reader.columns) mapping.push_back({known.file, known.column});
  return mapping;
}

// Tables and jobs of one crawl.
class Crawl {
 public:
  Crawl(const Crawler& crawler, bool dry_run) : crawler_(crawler), dry_run_(dry_run), jobs_(read_jobs(crawler)) {}

  std::vector<CrawlOutcome> run() {
    const Scan scan = etl::scan(crawler_, jobs_);
    for (const CrawledJob& job : jobs_) names_.reserve(pg::parse_table_name(job.table, crawler_.layer).table);
    for (const char* view : {"load_jobs", "load_log"}) names_.reserve(view);
    std::vector<CrawlOutcome> outcomes;
    for (const ScannedSet& set : scan.sets) outcomes.push_back(crawl_one(set));
    for (const CrawledJob* job : scan.gone)
      if (job->is_enabled) outcomes.push_back(gone(*job));
    for (const RefusedFiles& refused : scan.refused)
      outcomes.push_back({"", refused.first, refused.count, "ignored", {}, refused.reason});
    return outcomes;
  }

 private:
  // A job whose files have left; a file that is named and not there keeps every run from starting.
  CrawlOutcome gone(const CrawledJob& job) const {
    const std::string layer = pg::quote_text(crawler_.layer);
    const std::string name = pg::quote_text(job.name);
    const std::string what = locations::is_pattern(job.pattern)
                                 ? "no file of it is there any more; its job finds nothing to load"
                                 : "the file is not there any more; no run that has its job starts";
    return {pg::parse_table_name(job.table, crawler_.layer).quoted(),
            job.pattern,
            0,
            "gone",
            {},
            what + ": SELECT setup.drop_job(" + layer + ", " + name +
                "); or UPDATE setup.load_jobs SET is_enabled = false WHERE layer = " + layer +
                " AND job_name = " + name + "; (the table stays)"};
  }

  CrawlOutcome crawl_one(const ScannedSet& scanned) {
    CrawlOutcome outcome;
    outcome.data_set = scanned.set.pattern;
    outcome.files = static_cast<int>(scanned.set.files.size());
    outcome.message = joined(scanned.problems);
    const pg::TableName table = table_of(scanned);
    outcome.table = table.quoted();
    outcome.action = "failed";
    if (!scanned.is_readable) return outcome;
    CrawlOutcome done = outcome;
    try {
      pg::Subtransaction subtransaction;
      {
        const pg::Spi spi;
        apply(scanned, table, &done);
      }
      subtransaction.release();
      return done;
    } catch (const pg::Error& error) {
      if (error.sqlstate() == ERRCODE_QUERY_CANCELED || error.sqlstate() == ERRCODE_ADMIN_SHUTDOWN) throw;
      outcome.message = error.what();
    } catch (const pg::Failure& failure) {
      outcome.message = told(failure);
    }
    return outcome;
  }

  pg::TableName table_of(const ScannedSet& scanned) {
    if (scanned.job != nullptr) return pg::parse_table_name(scanned.job->table, crawler_.layer);
    const std::string name = crawl::table_name_of(scanned.set, crawler_.path, crawler_.table_prefix, fallback_name());
    return {crawler_.layer, names_.take(name)};
  }

  // The name of a data set that is the crawled directory itself.
  std::string fallback_name() const {
    const std::string& path = crawler_.path;
    return path.empty() ? crawler_.location : path.substr(path.rfind('/') + 1);
  }

  void apply(const ScannedSet& scanned, const pg::TableName& table, CrawlOutcome* outcome) {
    const Oid present = pg::find_table(table);
    if (scanned.job == nullptr) require_free(table, present);
    if (OidIsValid(present)) {
      evolve(scanned, table, present, outcome);
    } else {
      create(scanned, table, outcome);
    }
  }

  // What somebody else made is not to be replaced by the next load.
  void require_free(const pg::TableName& table, Oid present) const {
    if (OidIsValid(present))
      throw pg::Failure(
          ERRCODE_DUPLICATE_TABLE,
          pg::format("table %s exists already, and no job of this crawler loads it", table.quoted().c_str()), "",
          "Rename it, or give the crawler a table_prefix.");
    if (job_exists(crawler_.layer, table.table))
      throw pg::Failure(ERRCODE_DUPLICATE_OBJECT,
                        pg::format("job \"%s.%s\" exists already, and is not this crawler's", crawler_.layer.c_str(),
                                   table.table.c_str()),
                        "", "Rename it, or give the crawler a table_prefix.");
  }

  void create(const ScannedSet& scanned, const pg::TableName& table, CrawlOutcome* outcome) const {
    std::vector<std::string> file_names;
    for (const files::Column& column : scanned.shape.columns) file_names.push_back(column.name);
    std::vector<crawl::TableColumn> more = scanned.partitions;
    if (crawler_.provenance) more.insert(more.end(), kProvenance.begin(), kProvenance.end());
    std::vector<std::string> reserved;
    for (const crawl::TableColumn& column : more) reserved.push_back(column.name);

    const std::vector<std::string> names = crawl::column_names_for(file_names, reserved);
    std::vector<crawl::ColumnMapping> mapping;
    std::string columns;
    const auto add = [&](const std::string& name, const std::string& type) {
      columns += (columns.empty() ? "" : ", ") + pg::quote_name(name) + " " + type;
    };
    for (size_t i = 0; i < names.size(); ++i) {
      mapping.push_back({file_names[i], names[i]});
      add(names[i], scanned.shape.columns[i].type);
    }
    for (const crawl::TableColumn& column : more) add(column.name, column.type);
    outcome->action = "created";
    outcome->changes.push_back("create table " + table.quoted() + " (" + columns + ")");
    if (dry_run_) return;
    execute("CREATE TABLE " + table.quoted() + " (" + columns + ")");
    write_job(scanned, table, reader_for(scanned, mapping), outcome);
  }

  void evolve(const ScannedSet& scanned, const pg::TableName& table, Oid present, CrawlOutcome* outcome) const {
    // An index or a constraint of another role's table could run that role's code when the table is rewritten.
    if (pg::table_owner(present) != GetUserId() || !pg::can_be_loaded(present))
      throw pg::Failure(ERRCODE_INSUFFICIENT_PRIVILEGE,
                        pg::format("%s is no table of the crawler's owner", table.quoted().c_str()));
    const crawl::Evolution evolution = crawl::evolve(read_columns(present), mapping_of(scanned.job),
                                                     scanned.shape.columns, scanned.partitions, crawler_.policy);
    if (!evolution.problems.empty())
      throw pg::Failure(ERRCODE_DATATYPE_MISMATCH, joined(evolution.problems), "",
                        "The crawler's on_new_column or on_type_change is 'fail'.");
    std::string clauses;  // of one statement, which rewrites the table once
    for (const crawl::Change& change : evolution.changes) {
      outcome->changes.push_back(change.text());
      clauses += (clauses.empty() ? "" : ", ") + clause_of(change);
    }
    if (!dry_run_ && !clauses.empty()) execute("ALTER TABLE " + table.quoted() + " " + clauses);
    for (const std::string& note : evolution.notes) outcome->message += (outcome->message.empty() ? "" : "; ") + note;
    if (!dry_run_) write_job(scanned, table, reader_for(scanned, evolution.mapping), outcome);
    outcome->action = outcome->changes.empty() ? "unchanged" : "changed";
  }

  static std::string clause_of(const crawl::Change& change) {
    const std::string column = pg::quote_name(change.column);
    if (change.from.empty()) return "ADD COLUMN " + column + " " + change.to;
    std::string conversion = crawl::conversion(change.from, change.to);
    if (!conversion.empty()) conversion = " USING " + conversion.replace(conversion.find("%s"), 2, column);
    return "ALTER COLUMN " + column + " TYPE " + change.to + conversion;
  }

  // How the job reads the files: what was sniffed, and which column goes where.
  JobReader reader_for(const ScannedSet& scanned, const std::vector<crawl::ColumnMapping>& mapping) const {
    JobReader reader = scanned.job != nullptr ? scanned.job->reader : parse_reader_options(crawler_.reader_options);
    reader.options = scanned.shape.options;
    if (crawler_.policy.on_new_column == crawl::OnNewColumn::kIgnore) reader.ignores_new_columns = true;
    std::vector<KnownColumn> columns;
    std::map<std::string, int> seen;
    for (const crawl::ColumnMapping& it : mapping) {
      const int occurrence = seen[it.file]++;
      const bool was_optional = columns.size() < reader.columns.size() && reader.columns[columns.size()].optional;
      columns.push_back({it.file, it.column, was_optional || !is_in_all_files(scanned, it.file, occurrence)});
    }
    reader.columns = columns;
    return reader;
  }

  static bool is_in_all_files(const ScannedSet& scanned, const std::string& name, int occurrence) {
    for (size_t i = 0; i < scanned.shape.columns.size(); ++i)
      if (scanned.shape.columns[i].name == name && occurrence-- == 0) return scanned.in_all_files[i];
    return false;
  }

  void write_job(const ScannedSet& scanned, const pg::TableName& table, const JobReader& reader,
                 CrawlOutcome* outcome) const {
    const std::string options = pg::quote_text(reader_options_text(reader)) + "::jsonb";
    const std::string layer = pg::quote_text(crawler_.layer);
    if (scanned.job == nullptr) {
      execute("SELECT setup.add_job(layer => " + layer + ", job_name => " + pg::quote_text(table.table) +
              ", table_name => " + pg::quote_text(pg::quote_name(table.table)) + ", file_path => " +
              pg::quote_text(scanned.set.pattern) + ", location => " + pg::quote_text(crawler_.location) +
              ", load_mode => " + pg::quote_text(crawler_.load_mode) + ", reader_options => " + options +
              ", provenance => " + (crawler_.provenance ? "true" : "false") + ", crawler => " +
              pg::quote_text(crawler_.name) + ")");
    } else if (reader_options_text(scanned.job->reader) != reader_options_text(reader)) {
      execute("UPDATE setup.load_jobs SET reader_options = " + options + " WHERE layer = " + layer +
              " AND job_name = " + pg::quote_text(scanned.job->name));
      if (outcome->changes.empty()) outcome->changes.push_back("update reader_options of the job");
    }
  }

  const Crawler& crawler_;
  const bool dry_run_;
  const std::vector<CrawledJob> jobs_;
  crawl::UniqueNames names_;  // of tables
};

std::string summary(const std::vector<CrawlOutcome>& outcomes, bool* is_ok) {
  std::map<std::string, size_t> counts;
  int64_t sets = 0;
  for (const CrawlOutcome& outcome : outcomes) {
    if (outcome.action == "ignored") continue;
    ++counts[outcome.action];
    if (outcome.action != "gone") ++sets;
  }
  *is_ok = !counts.contains("failed");
  std::string text = pg::count_of(sets, "data set", "data sets");
  for (const char* action : {"created", "changed", "failed", "gone"})
    if (counts.contains(action)) text += ", " + std::to_string(counts[action]) + " " + action;
  return text;
}

}  // namespace

std::vector<CrawlOutcome> run_crawler(const std::string& name, bool dry_run) {
  const Crawler crawler = find_own_crawler(name);
  if (!dry_run) begin_crawl(name);
  const std::vector<CrawlOutcome> outcomes = Crawl(crawler, dry_run).run();
  if (dry_run) return outcomes;
  bool is_ok = false;
  const std::string message = summary(outcomes, &is_ok);
  record_crawl(name, is_ok, message);
  return outcomes;
}

}  // namespace etl
