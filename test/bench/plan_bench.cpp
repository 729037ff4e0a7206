// How long it takes to plan 10,000 and 100,000 jobs, in milliseconds: from the configured jobs to the
// blueprint, from there to a schedule, and through the schedule to the end of the run. Median of five.
//
//   make -C test/bench plan_bench && build/bench/plan_bench
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "plan/blueprint.h"
#include "plan/schedule.h"

namespace {

using namespace etl::plan;

constexpr int kRounds = 5;
constexpr int kLanes = 8;

// Bronze, silver and gold alike; three dependencies for each job on any jobs before it, in an order of rows
// that tells nothing.
Catalog make_catalog(int jobs) {
  std::mt19937 random(1);
  Catalog catalog{.layers = {{.name = "bronze"}, {.name = "silver"}, {.name = "gold"}}, .jobs = {}};
  for (int i = 0; i < jobs; ++i) {
    Job job{.layer = i * 3 / jobs, .name = "load_table_" + std::to_string(i), .depends_on = {}};
    for (int k = 0; i > 0 && k < 3; ++k) {
      const Job& other = catalog.jobs[std::uniform_int_distribution(0, i - 1)(random)];
      job.depends_on.push_back(other.layer == job.layer ? other.name : qualified_name(catalog, other));
    }
    catalog.jobs.push_back(std::move(job));
  }
  std::shuffle(catalog.jobs.begin(), catalog.jobs.end(), random);
  return catalog;
}

Schedule make_schedule(const Catalog& catalog, const Blueprint& blueprint) {
  std::vector<StepSpec> steps;
  steps.reserve(blueprint.steps.size());
  for (const Step& step : blueprint.steps) {
    const Job& job = catalog.jobs[step.job];
    steps.push_back({.layer = job.layer,
                     .lane = step.job % kLanes,
                     .load_order = job.load_order,
                     .follows_layer = step.follows_layer,
                     .parents = step.depends_on,
                     .weight = 1.0 + step.job % 10});
  }
  return Schedule(std::vector<LayerSpec>(catalog.layers.size()), std::move(steps), OnError::kContinue, 0);
}

// As a conductor with one worker for each lane would.
void drain(Schedule& schedule) {
  schedule.begin();
  std::vector<StepId> running;
  while (!schedule.done()) {
    if (const auto layer = schedule.layer_to_check()) schedule.layer_checked(*layer, true);
    for (const int lane : schedule.lanes_with_work()) {
      running.push_back(*schedule.next(lane));
      schedule.start(running.back());
    }
    for (const StepId step : running) schedule.finish(step, StepState::kOk);
    running.clear();
  }
  if (!schedule.all_ok()) std::abort();
}

using Milliseconds = std::chrono::duration<double, std::milli>;

double since(std::chrono::steady_clock::time_point start) {
  return Milliseconds(std::chrono::steady_clock::now() - start).count();
}

double median(std::array<double, kRounds> times) {
  std::sort(times.begin(), times.end());
  return times[kRounds / 2];
}

void measure(int jobs) {
  const Catalog catalog = make_catalog(jobs);
  std::array<double, kRounds> plan, build, run, total;
  for (int round = 0; round < kRounds; ++round) {
    auto start = std::chrono::steady_clock::now();
    const Blueprint blueprint = make_blueprint(catalog, {});
    plan[round] = since(start);
    if (!blueprint.problems.empty()) std::abort();

    start = std::chrono::steady_clock::now();
    Schedule schedule = make_schedule(catalog, blueprint);
    build[round] = since(start);

    start = std::chrono::steady_clock::now();
    drain(schedule);
    run[round] = since(start);
    total[round] = plan[round] + build[round] + run[round];
  }
  std::printf("%7d jobs: blueprint %7.1f ms, schedule %7.1f ms, drain %7.1f ms, all %7.1f ms\n", jobs, median(plan),
              median(build), median(run), median(total));
}

}  // namespace

int main() {
  measure(10'000);
  measure(100'000);
}
