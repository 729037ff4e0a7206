// How long it takes to plan 10,000 and 100,000 jobs, in milliseconds: from the configured jobs to the
// blueprint, from there to a schedule, and through the schedule to the end of the run. Then, how long 100,000 steps
// take to go one by one through a limit that all of them wait for. Medians of five; exit status 1 if one is above its
// budget.
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
#include "plan/limits.h"
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

// Whether it is within the budget.
bool report(double measured, double budget) {
  std::printf("all %7.1f ms of %.0f%s\n", measured, budget, measured < budget ? "" : ": TOO SLOW");
  return measured < budget;
}

bool measure_plan(int jobs, double budget) {
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
  std::printf("%7d jobs: blueprint %7.1f ms, schedule %7.1f ms, drain %7.1f ms, ", jobs, median(plan), median(build),
              median(run));
  return report(median(total), budget);
}

// All steps but the first park, and each runs when the one before has ended.
void queue_at_limit(int steps) {
  Limits limits;
  const std::vector<Demand> demands{{limits.find("table bronze.a"), 1}};
  limits.set_capacity(demands[0].limit, 1);
  limits.take({0, 1, 0}, demands);
  for (int step = 1; step < steps; ++step) {
    const Waiter waiter{step % 3, 1, step};
    if (!limits.blocked_by(waiter, demands)) std::abort();
    limits.park(waiter, demands[0]);
  }
  for (int step = 1; step < steps; ++step) {
    limits.release(demands);
    const std::vector<Waiter> woken = limits.take_woken();
    if (woken.size() != 1 || limits.blocked_by(woken[0], demands)) std::abort();
    limits.take(woken[0], demands);
  }
}

bool measure_limit(int steps, double budget) {
  std::array<double, kRounds> total;
  for (double& time : total) {
    const auto start = std::chrono::steady_clock::now();
    queue_at_limit(steps);
    time = since(start);
  }
  std::printf("%7d steps through one limit: ", steps);
  return report(median(total), budget);
}

}  // namespace

int main() {
  bool in_time = measure_plan(10'000, 100);
  in_time = measure_plan(100'000, 2000) && in_time;
  in_time = measure_limit(100'000, 1000) && in_time;
  return in_time ? EXIT_SUCCESS : EXIT_FAILURE;
}
