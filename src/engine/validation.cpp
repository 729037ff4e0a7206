#include "engine/validation.h"

#include "engine/dataset_files.h"
#include "engine/file_job_check.h"
#include "locations/directory.h"
#include "pg/files.h"
#include "pg/relations.h"
#include "pg/roles.h"
#include "pg/settings.h"

namespace etl {

namespace {

using plan::Problem;

std::string disable_hint(const std::string& layer, const std::string& job) {
  return pg::format("UPDATE setup.load_jobs SET is_enabled = false WHERE layer = %s AND job_name = %s;",
                    pg::quote_text(layer).c_str(), pg::quote_text(job).c_str());
}

// Why a file cannot be read, or empty.
std::string problem_of_file(const std::string& path) try {
  locations::File::open(path);
  return "";
} catch (const locations::FileError& error) {
  return error.what();
}

class Validator {
 public:
  Validator(const Configuration& configuration, const plan::Blueprint& blueprint, const std::vector<JobDetail>& details,
            std::vector<Problem>* problems)
      : configuration_(configuration), blueprint_(blueprint), details_(details), problems_(problems) {}

  PlannedRun run() {
    PlannedRun run;
    int layer = -1;
    for (size_t i = 0; i < blueprint_.steps.size(); ++i) {
      const plan::Step& step = blueprint_.steps[i];
      const plan::Job& job = configuration_.catalog.jobs[static_cast<size_t>(step.job)];
      if (job.layer != layer) {
        layer = job.layer;
        run.layers.push_back(configuration_.catalog.layers[static_cast<size_t>(layer)]);
        check_layer(run.layers.back().name);
      }
      run.steps.push_back(complete(step, job, details_[i], static_cast<int>(run.layers.size()) - 1));
    }
    for (size_t i = 0; i < blueprint_.steps.size(); ++i) check_target(i, run);
    return run;
  }

 private:
  // A problem of the job that is being looked at.
  void complain(const plan::Job& job, const std::string& what, const std::string& hint = "") {
    problems_->push_back({"job \"" + qualified_name(configuration_.catalog, job) + "\": " + what, hint});
  }

  void check_layer(const std::string& layer) {
    if (OidIsValid(pg::find_schema(layer))) return;
    problems_->push_back({pg::format("layer \"%s\": schema \"%s\" does not exist", layer.c_str(), layer.c_str()),
                          pg::format("Create it with CREATE SCHEMA %s;", pg::quote_name(layer).c_str())});
  }

  PlannedStep complete(const plan::Step& step, const plan::Job& job, const JobDetail& detail, int layer) {
    PlannedStep planned;
    planned.layer = layer;
    planned.job = job.name;
    planned.owner_oid = detail.owner_oid;
    planned.owner = detail.owner;
    planned.load_order = job.load_order;
    planned.follows_layer = step.follows_layer;
    planned.depends_on = step.depends_on;
    planned.command = detail.command;
    planned.transaction = detail.transaction;
    planned.discovered_as = detail.discovered_as;
    planned.location = detail.location;
    const bool owner_is_fine = check_owner(job, detail);
    if (owner_is_fine) planned.owner = pg::role_name(detail.owner_oid);
    check_discovered(job, detail);
    for (const std::string& lack : detail.lacking)
      complain(job, lack, "Make it, or change it, with SELECT setup.create_resource('name', capacity);");
    try {
      const std::string& schema = layer_name(job);
      if (!detail.table_name.empty()) planned.table = pg::parse_table_name(detail.table_name, schema).quoted();
      if (detail.file_path.empty() || !owner_is_fine) return planned;
      planned.file = detail.location.empty() ? resolve_file(job, detail, planned.table) : resolve_in_location(detail);
    } catch (const pg::Failure& failure) {
      const bool is_missing = failure.sqlstate() == ERRCODE_UNDEFINED_FILE;
      complain(job, failure.what(),
               is_missing ? "Put the file there, or disable the job: " + disable_hint(layer_name(job), job.name)
                          : failure.hint());
    }
    return planned;
  }

  const std::string& layer_name(const plan::Job& job) const {
    return configuration_.catalog.layers[static_cast<size_t>(job.layer)].name;
  }

  // False if the owner can run nothing here. Each owner is told about with each of its jobs: they are what a user
  // looks for.
  bool check_owner(const plan::Job& job, const JobDetail& detail) {
    const std::string name = "owner \"" + detail.owner + "\"";
    const std::string give = pg::format(
        "Give the job to another role: UPDATE setup.load_jobs SET owner = '...' WHERE "
        "layer = %s AND job_name = %s;",
        pg::quote_text(layer_name(job)).c_str(), pg::quote_text(job.name).c_str());
    if (!pg::role_exists(detail.owner_oid)) {
      complain(job, name + " does not exist", give);
    } else if (compat::kOwnersMustLogIn && !pg::role_can_log_in(detail.owner_oid)) {
      complain(job, name + " may not log in", give);
    } else if (!pg::may_connect(detail.owner_oid)) {
      complain(job, name + " may not connect to this database", "Grant it CONNECT.");
    } else if (!settings::superuser_jobs() && pg::role_is_superuser(detail.owner_oid)) {
      complain(job, name + " is a superuser, and etl_orchestrator.superuser_jobs is off", give);
    } else {
      return true;
    }
    return false;
  }

  // A discovered job runs with the rights of its object's owner. If the object has another owner now, or was made
  // again by somebody else, these are the wrong rights.
  void check_discovered(const plan::Job& job, const JobDetail& detail) {
    if (detail.discovered_as.empty()) return;
    const std::string& layer = layer_name(job);
    if (!discoverable_.contains(layer)) discoverable_[layer] = read_discoverable(layer);
    const auto& owners = discoverable_.at(layer);
    const auto found = owners.find({job.name, detail.discovered_as});
    if (found == owners.end()) {
      complain(job, pg::format("the %s that it was discovered from does not exist", detail.discovered_as.c_str()),
               pg::format("Create it, or drop the job with SELECT setup.drop_job(%s, %s);",
                          pg::quote_text(layer).c_str(), pg::quote_text(job.name).c_str()));
    } else if (found->second != detail.owner_oid) {
      complain(job,
               pg::format("the %s that it was discovered from belongs to \"%s\" now, the job to \"%s\"",
                          detail.discovered_as.c_str(), pg::role_name(found->second).c_str(), detail.owner.c_str()),
               pg::format("Discover it again with CALL setup.seed_load_jobs(%s);", pg::quote_text(layer).c_str()));
    }
  }

  // The file that a path means: {key} stands for a value of setup.etl_config. Empty, after complaining, if it cannot
  // be loaded.
  std::string resolve_file(const plan::Job& job, const JobDetail& detail, const std::string& table) {
    std::string path = detail.file_path;
    std::string key;
    if (path.starts_with('{') && path.find('}') != std::string::npos) {
      key = path.substr(1, path.find('}') - 1);
      const auto value = configuration_.config.find(key);
      if (value == configuration_.config.end()) {
        complain(job,
                 pg::format("table %s is loaded from \"%s\", but setup.etl_config has no key \"%s\"", table.c_str(),
                            path.c_str(), key.c_str()),
                 pg::format("INSERT INTO setup.etl_config VALUES (%s, '/directory/of/the/files');",
                            pg::quote_text(key).c_str()));
        return "";
      }
      std::string directory = value->second;
      while (directory.size() > 1 && directory.ends_with('/')) directory.pop_back();
      path = directory + path.substr(path.find('}') + 1);
    }
    if (!path.starts_with('/')) {
      complain(job, pg::format("file \"%s\" is not an absolute path", path.c_str()),
               "Begin it with a slash, or with {key} for a directory in setup.etl_config.");
      return "";
    }
    if (!pg::may_read_server_files(detail.owner_oid)) {
      complain(job, pg::format("owner \"%s\" may not read files of the server", detail.owner.c_str()),
               pg::format("A superuser can permit it: GRANT pg_read_server_files TO %s;",
                          pg::quote_name(detail.owner).c_str()));
      return "";
    }
    if (!key.empty() && names_data_set(path)) {
      const std::vector<std::string> files = files_of_data_set(path);
      if (files.size() > 1) {
        complain(job,
                 pg::format("several files can be meant by \"%s\": \"%s\" and \"%s\"", path.c_str(), files[0].c_str(),
                            files[1].c_str()),
                 "Leave one of them there, or give the job the path of one.");
        return "";
      }
      if (!files.empty()) path = files.front();
    } else if (!key.empty()) {
      path = pg::find_ignoring_case(path);
    }
    const std::string problem = problem_of_file(path);
    if (problem.empty()) return path;
    const std::string disable = disable_hint(layer_name(job), job.name);
    complain(job, pg::format("file \"%s\" %s", path.c_str(), problem.c_str()),
             key.empty()
                 ? "Put the file there, or disable the job: " + disable
                 : pg::format("Correct setup.etl_config key \"%s\" or put the file there, or disable the job: %s",
                              key.c_str(), disable.c_str()));
    return "";
  }

  // A file load needs its table, and rights on it; unless a job of this run or a crawler says that it makes the table.
  void check_target(size_t index, const PlannedRun& run) {
    const plan::Job& job = configuration_.catalog.jobs[static_cast<size_t>(blueprint_.steps[index].job)];
    const JobDetail& detail = details_[index];
    const std::string& table = run.steps[index].table;
    if (detail.file_path.empty() || table.empty()) return;

    const pg::TableName name = pg::parse_table_name(table, "");
    const Oid schema = pg::find_schema(name.schema);
    const Oid relation = pg::find_table(name);
    if (!OidIsValid(relation)) {
      const bool made_here =
          !detail.crawler.empty() || std::any_of(run.steps.begin(), run.steps.end(), [&](const PlannedStep& other) {
            return other.table == table && !other.command.empty();
          });
      if (!made_here && (OidIsValid(schema) || name.schema != layer_name(job)))
        complain(job, pg::format("table %s does not exist", table.c_str()),
                 "Create the table, or disable the job: " + disable_hint(layer_name(job), job.name));
    } else if (!pg::can_be_loaded(relation)) {
      complain(job, pg::format("%s is not a table that can be loaded", table.c_str()));
    } else if (pg::role_exists(detail.owner_oid)) {
      for (const Problem& problem : target_problems(detail, relation, table))
        complain(job, problem.message, problem.hint);
    }
  }

  const Configuration& configuration_;
  const plan::Blueprint& blueprint_;
  const std::vector<JobDetail>& details_;  // by step
  std::vector<Problem>* problems_;
  // By layer, read when first needed.
  std::map<std::string, std::map<std::pair<std::string, std::string>, Oid>> discoverable_;
};

}  // namespace

PlannedRun complete_steps(const Configuration& configuration, const plan::Blueprint& blueprint,
                          const std::vector<JobDetail>& details, std::vector<plan::Problem>* problems) {
  return Validator(configuration, blueprint, details, problems).run();
}

}  // namespace etl
