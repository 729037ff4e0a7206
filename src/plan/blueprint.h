// What a run will consist of: from the jobs and layers as they are configured to the steps of one run.
//
// A blueprint is made once, before anything runs, and either has no problem or is not run at all. It names
// every problem that it finds, not the first, and speaks of the user's objects by their names.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace etl::plan {

// A stage of the medallion. Its place in Catalog::layers is its place in the run.
struct Layer {
  std::string name;
  bool sequence = false;  // true: one job at a time, in load_order; false: in parallel, as dependencies allow
};

// One configured job. (layer, name) is unique.
struct Job {
  int layer = 0;  // index into Catalog::layers
  std::string name;
  int load_order = 0;                   // lower first; orders, never blocks
  std::vector<std::string> depends_on;  // 'job' of the same layer, or 'layer.job' of the same or an earlier one
  bool enabled = true;
  bool permitted = true;  // false: the caller is no member of the job's owner, and may not run it
};

// Everything that is configured, layers in the order of their position.
struct Catalog {
  std::vector<Layer> layers;
  std::vector<Job> jobs;
};

// Which jobs the caller wants. Without `jobs`: every enabled and permitted job of `layer`, or of all layers.
// With `jobs`: exactly these ('job' where the name is unique among the layers in scope, or 'layer.job'),
// widened by what they depend on (`upstream`) and by what depends on them (`downstream`), both transitively
// and within the scope. Widening takes enabled and permitted jobs; downstream, it stops at any other. What
// depends on a named job brings no further dependencies of its own with it.
struct Selection {
  std::optional<std::string> layer = {};  // scope: one layer, or all of them
  std::optional<std::vector<std::string>> jobs = {};
  bool upstream = false;
  bool downstream = false;
};

// One thing that keeps a run from starting. Message in PostgreSQL's style, `hint` a sentence or empty.
struct Problem {
  std::string message;  // names the object, e.g. job "silver.load_x": depends on unknown job "crm_y"
  std::string hint;
};

// One job of the run. `depends_on` are indexes into Blueprint::steps, always smaller than the step's own.
// Dependencies on jobs that are not part of the run do not appear: they count as met.
struct Step {
  int job = 0;  // index into Catalog::jobs
  std::vector<int> depends_on;
  bool follows_layer = true;  // the job declares no dependency at all: it follows the whole previous layer
};

struct Blueprint {
  // By layer; inside a layer parents first, ties by load_order, then by name. Where there are problems: the same jobs
  // without dependencies, for checks of other kinds; not to be run.
  std::vector<Step> steps;
  std::vector<Problem> problems;
};

// Resolves names, checks and orders. Runs in O(jobs + dependencies), apart from sorting.
//
// Problems, one for each occurrence, in a stable order:
//   unknown layer in the selection (alone, for nothing else can be told then); unknown, ambiguous, disabled
//   or not permitted job named in `jobs`, or one outside the layer, in the order of `jobs`;
//   for the jobs of the run, by layer, load_order and name: dependency on an unknown job, on a job of a later
//   layer, on itself; within the scope of the run also on a disabled job or on one that is not permitted.
//   The latter two count as met where the selection names jobs and leaves that one out ("exactly these"):
//   always without `upstream`, and for the jobs that `downstream` adds;
//   each strongly connected component of several jobs once, as its shortest cycle from its first job by name
//   and back to it, each job before one that it depends on: a -> b -> c -> a.
Blueprint make_blueprint(const Catalog& catalog, const Selection& selection);

// "layer.job", the name by which messages speak of a job.
std::string qualified_name(const Catalog& catalog, const Job& job);

}  // namespace etl::plan
