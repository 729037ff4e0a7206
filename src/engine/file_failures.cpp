#include "engine/file_failures.h"

#include "engine/failure.h"

namespace etl {

namespace {

constexpr size_t kMostShown = 10;

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

// Of a detail that begins so: 'File "a.csv", line 3, column "n": "x".'
std::string place_in(const std::string& detail) {
  const std::string line = first_line(detail);
  const size_t place = line.find("\", line ");
  if (!line.starts_with("File \"") || place == line.npos) return "";
  const std::string text = line.substr(place + 3);
  return text.ends_with('.') ? text.substr(0, text.size() - 1) : text;
}

// What is said of a file, which is named once.
std::string told(const FailedFile& file) {
  const FileProblem& problem = file.problem;
  const std::string name = pg::format("file \"%s\"", file.path.c_str());
  const std::string message = first_line(problem.message);
  const std::string text = message.starts_with(name) ? message : name + ": " + message;
  return problem.place.empty() ? text : text + " (" + problem.place + ")";
}

const FailedFile& most_promising(const std::vector<FailedFile>& files, const plan::RetryPolicy& policy, int attempt) {
  const auto found = std::find_if(files.begin(), files.end(), [&](const FailedFile& file) {
    return plan::delay_before_retry(policy, unpack_sql_state(file.problem.sqlstate), attempt, 0).has_value();
  });
  return found == files.end() ? files.front() : *found;
}

}  // namespace

FileProblem problem_of(const pg::Error& error) {
  const ErrorData& data = error.data();
  FileProblem problem{error.sqlstate(), error.what(), place_in(data.detail == nullptr ? "" : data.detail), false};
  for (const char* more : {data.detail, data.hint, data.context})
    if (more != nullptr) problem.message += std::string("\n") + more;
  problem.ends_attempt = error.sqlstate() == ERRCODE_QUERY_CANCELED && !is_statement_timeout(data);
  return problem;
}

FileProblem problem_of(const pg::Failure& failure) {
  FileProblem problem{failure.sqlstate(), failure.what(), place_in(failure.detail()), false};
  for (const std::string& more : {failure.detail(), failure.hint()})
    if (!more.empty()) problem.message += "\n" + more;
  return problem;
}

pg::Failure failure_of(const std::vector<FailedFile>& files, size_t untried, const plan::RetryPolicy& policy,
                       int attempt) {
  std::string detail;
  for (size_t i = 0; i < std::min(files.size(), kMostShown); ++i) detail += (i == 0 ? "" : "\n") + told(files[i]);
  if (files.size() > kMostShown) detail += pg::format("\nand %zu more", files.size() - kMostShown);
  if (untried > 0)
    detail += pg::format("; after so many, %s not tried",
                         pg::count_of(static_cast<int64_t>(untried), "other was", "others were").c_str());
  return pg::Failure(
      most_promising(files, policy, attempt).problem.sqlstate,
      pg::format("%s could not be loaded: \"%s\"%s", pg::count_of(std::ssize(files), "file", "files").c_str(),
                 files.front().path.c_str(), files.size() > 1 ? ", ..." : ""),
      detail,
      std::string(untried > 0 ? "" : "The others are loaded. ") +
          "setup.load_files tells of each; what failed is tried again the next time.");
}

}  // namespace etl
