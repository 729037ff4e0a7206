#include "engine/crawl_scan.h"

#include "crawl/names.h"
#include "engine/files_module.h"
#include "engine/locations.h"
#include "locations/glob.h"
#include "locations/partitions.h"
#include "locations/text.h"
#include "pg/relations.h"
#include "pg/wait.h"

extern "C" {
#include "mb/pg_wchar.h"
}

namespace etl {

namespace {

constexpr size_t kMostLookedAt = 64;
constexpr int64_t kSampleRows = 100'000;  // of a data set
constexpr int64_t kFewestRows = 2'000;    // of each of its files

std::vector<std::string> some_of(const std::vector<std::string>& files) {
  if (files.size() <= kMostLookedAt) return files;
  std::vector<std::string> some;
  for (size_t i = 0; i < kMostLookedAt; ++i) some.push_back(files[i * (files.size() - 1) / (kMostLookedAt - 1)]);
  return some;
}

// Where a column of a shape is found in another one, by name; names may come several times.
std::vector<bool> found_in(const std::vector<files::Column>& columns, const std::vector<files::Column>& others) {
  std::map<std::string, int> left;
  for (const files::Column& other : others) ++left[other.name];
  std::vector<bool> found;
  for (const files::Column& column : columns) found.push_back(left[column.name]-- > 0);
  return found;
}

class Scanner {
 public:
  explicit Scanner(const Crawler& crawler)
      : crawler_(crawler),
        location_(find_location(crawler.location)),
        session_(files_module("crawling").open(file_limits())),
        base_(parse_reader_options(crawler.reader_options)) {
    require_use(location_, GetUserId());
    location_.rules.exclusions.insert(location_.rules.exclusions.end(), crawler.exclusions.begin(),
                                      crawler.exclusions.end());
  }

  Scan run(const std::vector<CrawledJob>& jobs) {
    std::vector<std::string> known;
    std::map<std::string_view, const CrawledJob*> by_pattern;
    for (const CrawledJob& job : jobs) {
      known.push_back(job.pattern);
      by_pattern.try_emplace(job.pattern, &job);
    }
    const std::vector<std::string> accepted = accepted_files();
    std::set<std::string> seen;
    for (const crawl::DataSet& set : crawl::group_files(accepted, known)) {
      seen.insert(set.pattern);
      const auto job = set.is_known ? by_pattern.find(set.pattern) : by_pattern.end();
      add(set, job == by_pattern.end() ? nullptr : job->second);
    }
    for (const CrawledJob& job : jobs)
      if (!seen.contains(job.pattern) && is_gone(job)) scan_.gone.push_back(&job);
    std::stable_sort(scan_.sets.begin(), scan_.sets.end(),
                     [](const ScannedSet& one, const ScannedSet& other) { return one.set.name < other.set.name; });
    return std::move(scan_);
  }

 private:
  // Nothing is said of what lies beside the path that is crawled.
  bool is_gone(const CrawledJob& job) const {
    if (!crawler_.path.empty() && !job.pattern.starts_with(crawl::pattern_of_path(crawler_.path) + "/")) return false;
    return std::none_of(refused_paths_.begin(), refused_paths_.end(),
                        [&](const std::string& path) { return locations::matches(job.pattern, path); });
  }

  void require_path() const {
    if (crawler_.path.empty()) return;
    try {
      open_directory(location_).open_directory(crawler_.path);
    } catch (const locations::FileError& error) {
      throw pg::Failure(
          failure_of(location_, crawler_.path, error).sqlstate(),
          pg::format("path \"%s\" of crawler \"%s\" %s", crawler_.path.c_str(), crawler_.name.c_str(), error.what()),
          pg::format("It is beneath location \"%s\".", location_.name.c_str()),
          pg::format("SELECT setup.create_crawler(%s, path => ...) names another directory.",
                     pg::quote_text(crawler_.name).c_str()));
    }
  }

  std::vector<std::string> accepted_files() {
    require_path();
    std::vector<std::string> paths;
    const std::string pattern = crawler_.path.empty() ? "**" : crawl::pattern_of_path(crawler_.path) + "/**";
    for (const locations::Found& found : list_files(location_, pattern)) {
      if (found.refusal) {
        refused_paths_.push_back(found.entry.path);
        refuse(found.entry.path, *found.refusal);
      } else {
        paths.push_back(found.entry.path);
      }
    }
    return paths;
  }

  void refuse(const std::string& path, const std::string& reason) {
    for (RefusedFiles& same : scan_.refused) {
      if (same.reason != reason) continue;
      ++same.count;
      return;
    }
    scan_.refused.push_back({reason, path, 1});
  }

  void add(const crawl::DataSet& set, const CrawledJob* job) {
    ScannedSet scanned;
    scanned.set = set;
    scanned.job = job;
    const bool must_be_alike = set.kind == crawl::DataSet::Kind::kFolder && job == nullptr;
    if (look_at_files(&scanned, must_be_alike)) {
      add_partitions(&scanned);
      scan_.sets.push_back(std::move(scanned));
    } else {
      for (const crawl::DataSet& single : crawl::split(set)) add(single, nullptr);
    }
  }

  // False if the files must be alike and are not: two at least, and more than those that cannot be read.
  bool look_at_files(ScannedSet* scanned, bool must_be_alike) {
    const std::vector<std::string> files = some_of(scanned->set.files);
    size_t readable = 0;
    const int64_t rows = std::max(kFewestRows, kSampleRows / static_cast<int64_t>(files.size()));
    for (const std::string& path : files) {
      pg::check_interrupts();
      try {
        // Files of one set are read alike: by what is known of it already.
        const files::ReaderOptions given = scanned->job != nullptr                  ? scanned->job->reader.options
                                           : scanned->is_readable && !must_be_alike ? scanned->shape.options
                                                                                    : base_.options;
        const files::Shape shape = sniff(path, scanned->set.type, given, rows);
        if (must_be_alike && scanned->is_readable && !crawl::are_alike(scanned->shape, shape)) return false;
        take(scanned, shape);
        ++readable;
      } catch (const pg::Failure& failure) {
        scanned->problems.push_back(told(failure));
      }
    }
    return !must_be_alike || (readable > 1 && readable > scanned->problems.size());
  }

  files::Shape sniff(const std::string& path, locations::FileType type, const files::ReaderOptions& options,
                     int64_t rows) const {
    const locations::File file = open_file(location_, path);
    files::Shape shape = session_->sniff(module_source(file, type), options, rows);
    check_names(path, shape);
    return shape;
  }

  static void take(ScannedSet* scanned, const files::Shape& shape) {
    if (!scanned->is_readable) {
      scanned->shape = shape;
      scanned->in_all_files.assign(shape.columns.size(), true);
      scanned->is_readable = true;
      return;
    }
    const std::vector<bool> found = found_in(scanned->shape.columns, shape.columns);
    for (size_t i = 0; i < found.size(); ++i)
      if (!found[i]) scanned->in_all_files[i] = false;
    crawl::merge(&scanned->shape, shape);
    scanned->in_all_files.resize(scanned->shape.columns.size(), false);
  }

  // All files of a set have the same partitions.
  static void add_partitions(ScannedSet* scanned) {
    const std::vector<std::string>& files = scanned->set.files;
    const auto first = locations::partitions_of(files.front());
    for (size_t i = 0; i < first.size(); ++i) {
      std::vector<std::string> values;
      for (const std::string& path : files) {
        const auto partitions = locations::partitions_of(path);
        if (i < partitions.size() && partitions[i].value) values.push_back(*partitions[i].value);
      }
      // The load finds the column by the name in the path, in any case.
      const std::string folded = crawl::folded_name(first[i].name);
      const std::string& name = folded.size() == first[i].name.size() ? folded : first[i].name;
      scanned->partitions.push_back({name, crawl::partition_type(values)});
    }
  }

  // What PostgreSQL cannot hold, or this database cannot.
  static void check_names(const std::string& path, const files::Shape& shape) {
    const bool any_letter = GetDatabaseEncoding() == PG_UTF8;
    for (const files::Column& column : shape.columns) {
      const bool plain = std::all_of(column.name.begin(), column.name.end(),
                                     [&](char c) { return c != '\0' && (any_letter || (c & 0x80) == 0); });
      if (plain && locations::is_valid_utf8(column.name)) continue;
      throw pg::Failure(ERRCODE_UNTRANSLATABLE_CHARACTER,
                        pg::format("file \"%s\" has a column whose name this database cannot hold", path.c_str()));
    }
  }

  const Crawler& crawler_;
  Location location_;
  const std::unique_ptr<files::Session> session_;
  const JobReader base_;
  std::vector<std::string> refused_paths_;
  Scan scan_;
};

}  // namespace

std::string told(const pg::Failure& failure) {
  std::string text = failure.what();
  if (!failure.detail().empty()) text += ": " + failure.detail();
  return failure.hint().empty() ? text : text + " (" + failure.hint() + ")";
}

Scan scan(const Crawler& crawler, const std::vector<CrawledJob>& jobs) {
  return Scanner(crawler).run(jobs);
}

}  // namespace etl
