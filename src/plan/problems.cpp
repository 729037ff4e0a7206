#include "plan/fence.h"

#include "plan/problems.h"

#include <string>

namespace etl::plan::problem {
namespace {

using std::string;

string quoted(std::string_view name) {
  return '"' + string(name) + '"';
}

// An SQL literal, as quote_literal() writes it: the same under either standard_conforming_strings.
string literal(std::string_view text) {
  string result = text.find('\\') == text.npos ? "'" : "E'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') result += c;
    result += c;
  }
  return result + "'";
}

string name_of(const Catalog& catalog, int job) {
  return qualified_name(catalog, catalog.jobs[job]);
}

string layer_of(const Catalog& catalog, int job) {
  return catalog.layers[catalog.jobs[job].layer].name;
}

// 'job "silver.a"', the beginning of most messages.
string the_job(const Catalog& catalog, int job) {
  return "job " + quoted(name_of(catalog, job));
}

string enabling(const Catalog& catalog, int job) {
  return "Enable it with UPDATE setup.load_jobs SET is_enabled = true WHERE layer = " +
         literal(layer_of(catalog, job)) + " AND job_name = " + literal(catalog.jobs[job].name);
}

}  // namespace

Problem unknown_layer(std::string_view layer) {
  return {"unknown layer " + quoted(layer), "Create it with SELECT setup.create_layer(" + literal(layer) + ")."};
}

Problem unknown_job(const Catalog& catalog, std::string_view text, int elsewhere) {
  return {"unknown job " + quoted(text), elsewhere < 0
                                             ? "The jobs are listed in setup.load_jobs."
                                             : "Layer " + quoted(layer_of(catalog, elsewhere)) +
                                                   " has a job of that name, but this run does not cover that layer."};
}

Problem job_in_several_layers(const Catalog& catalog, const std::vector<int>& jobs) {
  string layers;
  for (const int job : jobs) layers += (layers.empty() ? "" : ", ") + layer_of(catalog, job);
  return {"job " + quoted(catalog.jobs[jobs.front()].name) + " is in several layers: " + layers,
          "Name it with its layer, as in " + literal(name_of(catalog, jobs.front())) + "."};
}

Problem job_outside_layer(const Catalog& catalog, int job, int layer) {
  return {the_job(catalog, job) + " is not in layer " + quoted(catalog.layers[layer].name),
          "Run layer " + quoted(layer_of(catalog, job)) + ", or all layers."};
}

Problem job_is_disabled(const Catalog& catalog, int job) {
  return {the_job(catalog, job) + " is disabled", enabling(catalog, job) + "."};
}

Problem job_not_permitted(const Catalog& catalog, int job) {
  return {the_job(catalog, job) + ": you may not run it", "A job can be run by members of the role that owns it."};
}

Problem unknown_dependency(const Catalog& catalog, int job, std::string_view text, int intended) {
  return {the_job(catalog, job) + ": depends on unknown job " + quoted(text),
          intended < 0
              ? "Name a job of the same layer as 'job', one of an earlier layer as 'layer.job'."
              : "A job of an earlier layer is named with that layer: " + literal(name_of(catalog, intended)) + "."};
}

Problem depends_on_itself(const Catalog& catalog, int job) {
  return {the_job(catalog, job) + ": depends on itself", "Remove the dependency."};
}

Problem depends_on_later_layer(const Catalog& catalog, int job, int dependency) {
  return {the_job(catalog, job) + ": depends on " + quoted(name_of(catalog, dependency)) + ", a job of a later layer",
          "A job can depend on jobs of its own layer and of earlier ones. Remove the dependency."};
}

Problem depends_on_disabled(const Catalog& catalog, int job, int dependency) {
  return {the_job(catalog, job) + ": depends on disabled job " + quoted(name_of(catalog, dependency)),
          enabling(catalog, dependency) + ", or remove the dependency."};
}

Problem depends_on_not_permitted(const Catalog& catalog, int job, int dependency) {
  return {
      the_job(catalog, job) + ": depends on " + quoted(name_of(catalog, dependency)) + ", a job that you may not run",
      "A job can be run by members of the role that owns it. To run yours without it, name the jobs to "
      "run: jobs => ARRAY[" +
          literal(name_of(catalog, job)) + "]."};
}

Problem cycle(const Catalog& catalog, const std::vector<int>& cycle) {
  string path;
  for (const int job : cycle) path += name_of(catalog, job) + " -> ";
  return {"jobs depend on each other: " + path + name_of(catalog, cycle.front()), "Remove one of these dependencies."};
}

}  // namespace etl::plan::problem
