#include "engine/arrivals.h"

#include "engine/arrival_store.h"
#include "engine/file_store.h"
#include "engine/request.h"
#include "locations/glob.h"
#include "pg/as_role.h"
#include "pg/transaction.h"

namespace etl {

namespace {

using arrival_store::File;
using arrival_store::Job;

// A job, and files for which it is to be started.
struct Call {
  Job job;
  std::vector<File> files;
};

std::vector<File> matching(const Job& job, const std::vector<File>& files) {
  std::vector<File> found;
  const bool is_pattern = locations::is_pattern(job.pattern);
  for (const File& file : files)
    if (is_pattern ? locations::matches(job.pattern, file.path) : job.pattern == file.path) found.push_back(file);
  return found;
}

std::vector<Call> find_calls(const Location& location, const std::vector<File>& files, bool forgets) {
  std::vector<Call> calls;
  pg::Transaction transaction;
  {
    const pg::Spi spi;
    std::map<Oid, bool> owners;
    const auto may_read = [&](Oid owner) {  // or no more, since a grant was taken back
      const auto [entry, is_new] = owners.try_emplace(owner);
      if (is_new) entry->second = may_use(location, owner);
      return entry->second;
    };
    for (const Job& job : arrival_store::jobs_of(location.name)) {
      if (!may_read(job.owner)) continue;
      const std::vector<File> readable = matching(job, files);
      if (forgets) arrival_store::forget_others(location.name, job, readable);
      Call call{job, {}};
      for (const file_store::Unknown& file :
           file_store::find_to_announce({job.layer, job.name, location.name}, readable))
        call.files.push_back(readable[file.place]);
      if (!call.files.empty()) calls.push_back(std::move(call));
    }
  }
  transaction.commit();
  return calls;
}

// A run that waits for its turn will find these files, too.
void join_queued(const Location& location, std::vector<Call>* calls) {
  const pg::Spi spi;
  std::erase_if(*calls, [&](const Call& call) {
    const RunId run = arrival_store::find_queued_run(call.job);
    if (run != 0) arrival_store::record(location.name, call.job, call.files, run);
    return run != 0;
  });
}

// All calls are for jobs of one owner.
void start(const Location& location, std::vector<Call> calls) {
  pg::Transaction transaction;
  join_queued(location, &calls);
  if (!calls.empty()) {
    RunRequest request;
    request.selection.jobs.emplace();
    for (const Call& call : calls) request.selection.jobs->push_back(call.job.layer + "." + call.job.name);
    RunKey run;
    {
      const pg::AsRole owner(calls.front().job.owner);
      run = store_run(request, plan_run(request));
    }
    const pg::Spi spi;
    for (const Call& call : calls) arrival_store::record(location.name, call.job, call.files, run.id);
  }
  transaction.commit();
}

// Empty, or why not.
std::string try_to_start(const Location& location, const std::vector<Call>& calls) {
  try {
    start(location, calls);
    return "";
  } catch (const pg::Failure& failure) {
    return std::string(failure.what()) + (failure.detail().empty() ? "" : ": " + failure.detail());
  } catch (const pg::Error& error) {
    pg::abort_everything();
    return error.what();
  }
}

// In one run, unless one of them is not valid: then each that is by itself.
std::string start_all(const Location& location, const std::vector<Call>& calls) {
  std::string problem = try_to_start(location, calls);
  if (problem.empty() || calls.size() == 1) return problem;
  problem.clear();
  for (const Call& call : calls) {
    const std::string its_problem = try_to_start(location, {call});
    if (problem.empty()) problem = its_problem;
  }
  return problem;
}

}  // namespace

Looked start_for_arrivals(const Location& location, bool forgets) {
  Looked looked;
  std::vector<File> files;
  const int64_t now = locations::now_ns();
  for (const locations::Found& found : list_files(location, "**")) {
    if (found.entry.path.size() > file_store::kLongestPath || !found.entry.problem.empty()) continue;
    const int64_t stable_at = found.entry.facts.modified_ns + location.rules.stable_for_ns;
    if (!found.refusal) {
      files.push_back({found.entry.path, found.entry.facts, ""});
    } else if (stable_at > now && !locations::refusal_of_path(location.rules, found.entry.path)) {
      looked.due_ns = looked.due_ns == 0 ? stable_at : std::min(looked.due_ns, stable_at);
    }
  }
  std::map<Oid, std::vector<Call>> by_owner;
  for (Call& call : find_calls(location, files, forgets)) by_owner[call.job.owner].push_back(std::move(call));
  for (const auto& [owner, calls] : by_owner) {
    const std::string problem = start_all(location, calls);
    if (looked.problem.empty()) looked.problem = problem;
  }
  return looked;
}

}  // namespace etl
