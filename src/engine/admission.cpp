#include "engine/admission.h"

namespace etl {

namespace {

std::map<std::string, int> read_map(pg::Statement* statement) {
  const pg::Rows rows = statement->run();
  std::map<std::string, int> map;
  for (int i = 0; i < rows.size(); ++i) map[rows.text(i, 0)] = rows.int4(i, 1);
  return map;
}

plan::Waiter waiter(const Applicant& applicant) {
  return {applicant.priority, applicant.run.id, applicant.id};
}

}  // namespace

Applicant applicant(const ActiveRun& run, StepId step) {
  return {run.key(), run.priority(), step, run.layer_of(step), run.step(step)};
}

void Admission::read_capacities() {
  static pg::Statement layers{"SELECT layer, max_concurrent FROM setup.layers WHERE max_concurrent IS NOT NULL", {}};
  static pg::Statement resources{"SELECT resource, capacity FROM setup.resources", {}};
  const std::map<std::string, int> old_layers = std::exchange(layers_, read_map(&layers));
  const std::map<std::string, int> old_resources = std::exchange(resources_, read_map(&resources));
  for (const auto& [layer, capacity] : old_layers)
    if (!layers_.contains(layer)) limits_.set_capacity(limits_.find("layer " + layer), std::nullopt);
  for (const auto& [resource, capacity] : old_resources)
    if (!resources_.contains(resource)) limits_.set_capacity(limits_.find("resource " + resource), std::nullopt);
  for (const auto& [layer, capacity] : layers_) limit("layer " + layer, capacity);
  for (const auto& [resource, capacity] : resources_) limit("resource " + resource, capacity);
}

plan::LimitId Admission::limit(const std::string& name, int capacity) {
  const plan::LimitId id = limits_.find(name);
  if (limits_.capacity(id) != capacity) limits_.set_capacity(id, capacity);
  return id;
}

std::vector<plan::Demand> Admission::demands_of(const Applicant& it) {
  const run_store::StoredStep& step = it.step;
  std::vector<plan::Demand> demands;
  demands.push_back({limit("job " + it.layer + "." + step.job, step.max_concurrent), 1});
  if (!step.table.empty()) demands.push_back({limit("table " + step.table, 1), 1});
  demands.push_back({limits_.find("layer " + it.layer), 1});  // also without a limit: there may be one soon
  for (const auto& [resource, units] : step.resources) demands.push_back({limits_.find("resource " + resource), units});
  return demands;
}

bool Admission::admits(const Applicant& applicant) {
  const std::vector<plan::Demand> demands = demands_of(applicant);
  const std::optional<plan::LimitId> blocker = limits_.blocked_by(waiter(applicant), demands);
  if (!blocker) return true;
  const auto demand =
      std::find_if(demands.begin(), demands.end(), [&](const plan::Demand& each) { return each.limit == *blocker; });
  limits_.park(waiter(applicant), *demand);
  return false;
}

void Admission::take(const Applicant& applicant) {
  const std::vector<plan::Demand> demands = demands_of(applicant);
  limits_.take(waiter(applicant), demands);
  taken_[{applicant.run.id, applicant.run.at, applicant.id}] = demands;
}

void Admission::release(const RunKey& run, StepId step) {
  const auto found = taken_.find({run.id, run.at, step});
  if (found == taken_.end()) return;
  limits_.release(found->second);
  for (const plan::Demand& demand : found->second) {
    const std::string& name = limits_.name(demand.limit);
    // One for each job and table, of which there may be many; what layers and resources have is read from tables.
    if (name.starts_with("job ") || name.starts_with("table ")) limits_.drop_if_unused(demand.limit);
  }
  taken_.erase(found);
}

void Admission::forget(RunId run) {
  limits_.forget_run(run);
}

std::vector<std::pair<RunId, StepId>> Admission::woken() {
  std::vector<std::pair<RunId, StepId>> woken;
  for (const plan::Waiter& each : limits_.take_woken()) woken.emplace_back(each.run, each.step);
  return woken;
}

std::string Admission::obstacle(const Applicant& applicant) {
  const std::vector<plan::Demand> demands = demands_of(applicant);
  const std::optional<plan::LimitId> blocker = limits_.blocked_by(waiter(applicant), demands);
  if (!blocker) return "";
  const std::string& name = limits_.name(*blocker);
  const size_t space = name.find(' ');
  const std::string what = name.substr(0, space) + " \"" + name.substr(space + 1) + "\"";
  if (name.starts_with("table ")) return "another job is writing table " + name.substr(space + 1);
  return pg::format("%s: %lld of %d %s in use", what.c_str(), static_cast<long long>(limits_.used(*blocker)),
                    limits_.capacity(*blocker).value_or(0), name.starts_with("resource ") ? "units are" : "places are");
}

}  // namespace etl
