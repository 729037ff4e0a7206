#include "plan/blueprint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "catalog_builder.h"

namespace etl::plan {
namespace {

// The hint of the only problem, or what is wrong about "only".
std::string only_hint(const Blueprint& blueprint) {
  if (blueprint.problems.size() != 1) return std::to_string(blueprint.problems.size()) + " problems";
  return blueprint.problems.front().hint;
}

TEST(BlueprintOrder, GoesLayerByLayerWhateverTheOrderOfTheCatalog) {
  CatalogBuilder b;
  b.job("gold", "a");
  b.job("bronze", "z");
  b.job("silver", "m");
  EXPECT_EQ(b.run_of(), (Names{"bronze.z", "silver.m", "gold.a"}));
}

TEST(BlueprintOrder, PutsParentsFirstThenLoadOrderThenName) {
  CatalogBuilder b;
  b.job("silver", "late").load_order = 2;
  b.job("silver", "b").load_order = 1;
  b.job("silver", "a").load_order = 1;
  b.job("silver", "first", {"late"}).load_order = 0;
  EXPECT_EQ(b.run_of(), (Names{"silver.a", "silver.b", "silver.late", "silver.first"}));
}

TEST(BlueprintOrder, NegativeLoadOrdersComeBeforeZero) {
  CatalogBuilder b;
  b.job("bronze", "a").load_order = 0;
  b.job("bronze", "b").load_order = -1;
  EXPECT_EQ(b.run_of(), (Names{"bronze.b", "bronze.a"}));
}

TEST(BlueprintOrder, LetsALaterLayerWaitEvenIfNothingConnectsIt) {
  CatalogBuilder b;
  b.job("bronze", "x").load_order = 9;
  b.job("bronze", "y", {"x"}).load_order = 9;
  b.job("silver", "a").load_order = 0;
  EXPECT_EQ(b.run_of(), (Names{"bronze.x", "bronze.y", "silver.a"}));
}

// The lowest free job by (layer, load_order, name), again and again.
Names naive_order(const Catalog& catalog) {
  Names order;
  std::set<std::string> taken;
  const auto is_free = [&](const Job& job) {
    const auto is_taken = [&](const std::string& text) { return taken.contains(text); };
    return !taken.contains(qualified_name(catalog, job)) && std::ranges::all_of(job.depends_on, is_taken);
  };
  while (order.size() < catalog.jobs.size()) {
    const Job* best = nullptr;
    for (const Job& job : catalog.jobs) {
      if (is_free(job) && (!best || std::tie(job.layer, job.load_order, job.name) <
                                        std::tie(best->layer, best->load_order, best->name))) {
        best = &job;
      }
    }
    order.push_back(qualified_name(catalog, *best));
    taken.insert(order.back());
  }
  return order;
}

TEST(BlueprintOrder, IsThatOfTheNaiveMethodOnRandomCatalogs) {
  std::mt19937 random(7);
  const auto pick = [&](int low, int high) { return std::uniform_int_distribution(low, high)(random); };
  for (int round = 0; round < 500; ++round) {
    CatalogBuilder b;
    const int count = pick(1, 20);
    // Layers ascend, so that each job may depend on any that was made before.
    for (int i = 0; i < count; ++i) {
      Names depends_on;
      for (int k = pick(0, 3); i > 0 && k > 0; --k) {
        depends_on.push_back(qualified_name(b.catalog, b.catalog.jobs[pick(0, i - 1)]));
      }
      b.job(b.catalog.layers[i * 3 / count].name, "j" + std::to_string(pick(0, 9)) + "_" + std::to_string(i),
            std::move(depends_on))
          .load_order = pick(0, 2);
    }
    std::ranges::shuffle(b.catalog.jobs, random);
    ASSERT_EQ(b.run_of(), naive_order(b.catalog)) << "round " << round;
  }
}

TEST(BlueprintOrder, AnEmptyCatalogIsAnEmptyRun) {
  EXPECT_TRUE(CatalogBuilder().blueprint().problems.empty());
  EXPECT_TRUE(CatalogBuilder().blueprint().steps.empty());
}

TEST(BlueprintDependency, IsAJobOfTheSameLayerOrOneNamedWithItsLayer) {
  CatalogBuilder b;
  b.job("bronze", "crm");
  b.job("silver", "a", {"bronze.crm"});
  b.job("silver", "b", {"a", "silver.a"});
  EXPECT_EQ(b.edges_of(), (Names{"silver.a after bronze.crm", "silver.b after silver.a"}));
}

TEST(BlueprintDependency, AppearsOnceAndInTheOrderOfTheRun) {
  CatalogBuilder b;
  b.job("silver", "a");
  b.job("silver", "b");
  b.job("silver", "c", {"b", "a", "silver.b"});
  EXPECT_EQ(b.edges_of(), (Names{"silver.c after silver.a, silver.b"}));
}

TEST(BlueprintDependency, NobodyCanHideAJobOfAnotherLayerBehindAJobThatIsCalledLikeIt) {
  CatalogBuilder b;
  b.job("bronze", "x");
  b.job("silver", "bronze.x");
  b.job("silver", "a", {"bronze.x"});
  EXPECT_EQ(b.edges_of(), (Names{"silver.a after bronze.x"}));
}

TEST(BlueprintDependency, SplitsAtTheFirstDotWhosePrefixIsALayer) {
  CatalogBuilder b({"my.raw", "raw", "silver"});
  b.job("my.raw", "a.b");
  b.job("silver", "x", {"my.raw.a.b"});
  EXPECT_EQ(b.edges_of(), (Names{"silver.x after my.raw.a.b"}));
}

TEST(BlueprintDependency, LooksNoFurtherThanTheFirstLayer) {
  CatalogBuilder b({"my", "my.raw", "silver"});
  b.job("my.raw", "a");
  b.job("silver", "x", {"my.raw.a"});
  EXPECT_EQ(b.messages_of(), (Names{"job \"silver.x\": depends on unknown job \"my.raw.a\""}));
}

TEST(BlueprintDependency, AJobWithoutAnyFollowsItsLayer) {
  CatalogBuilder b;
  b.job("bronze", "a");
  b.job("silver", "b");
  b.job("silver", "c", {"bronze.a"});
  const Blueprint made = b.blueprint();
  ASSERT_EQ(made.steps.size(), 3u);
  EXPECT_TRUE(made.steps[0].follows_layer);
  EXPECT_TRUE(made.steps[1].follows_layer);
  EXPECT_FALSE(made.steps[2].follows_layer);
}

TEST(BlueprintDependency, OutsideTheRunCountsAsMetAndTheJobStillDoesNotFollowItsLayer) {
  CatalogBuilder b;
  b.job("bronze", "a");
  b.job("silver", "b", {"bronze.a"});
  const Blueprint made = b.blueprint({.layer = "silver"});
  ASSERT_EQ(made.steps.size(), 1u);
  EXPECT_TRUE(made.steps[0].depends_on.empty());
  EXPECT_FALSE(made.steps[0].follows_layer);
}

TEST(BlueprintDependency, OnADisabledJobOutsideTheScopeCountsAsMet) {
  CatalogBuilder b;
  b.job("bronze", "a").enabled = false;
  b.job("silver", "b", {"bronze.a"});
  EXPECT_EQ(b.run_of({.layer = "silver"}), (Names{"silver.b"}));
}

TEST(BlueprintProblem, UnknownDependency) {
  CatalogBuilder b;
  b.job("silver", "load_x", {"crm_y"});
  EXPECT_EQ(b.messages_of(), (Names{"job \"silver.load_x\": depends on unknown job \"crm_y\""}));
  EXPECT_EQ(only_hint(b.blueprint()), "Name a job of the same layer as 'job', one of an earlier layer as 'layer.job'.");
}

TEST(BlueprintProblem, UnknownDependencyThatOnlyLacksItsLayer) {
  CatalogBuilder b;
  b.job("bronze", "crm_y");
  b.job("silver", "load_x", {"crm_y"});
  EXPECT_EQ(b.messages_of(), (Names{"job \"silver.load_x\": depends on unknown job \"crm_y\""}));
  EXPECT_EQ(only_hint(b.blueprint()), "A job of an earlier layer is named with that layer: 'bronze.crm_y'.");
}

TEST(BlueprintProblem, UnknownDependencyIsNotMistakenForAJobOfALaterLayer) {
  CatalogBuilder b;
  b.job("silver", "a", {"x"});
  b.job("gold", "x");
  EXPECT_EQ(only_hint(b.blueprint()), "Name a job of the same layer as 'job', one of an earlier layer as 'layer.job'.");
}

TEST(BlueprintProblem, DependencyOnALaterLayer) {
  CatalogBuilder b;
  b.job("silver", "a", {"gold.b"});
  b.job("gold", "b", {"silver.a"});
  EXPECT_EQ(b.messages_of(), (Names{"job \"silver.a\": depends on \"gold.b\", a job of a later layer"}));
}

TEST(BlueprintProblem, DependencyOnALaterLayerEvenIfThatIsOutsideTheScope) {
  CatalogBuilder b;
  b.job("silver", "a", {"gold.b"});
  b.job("gold", "b");
  EXPECT_EQ(b.messages_of({.layer = "silver"}),
            (Names{"job \"silver.a\": depends on \"gold.b\", a job of a later layer"}));
}

TEST(BlueprintProblem, DependencyOnItselfIsNoCycle) {
  CatalogBuilder b;
  b.job("silver", "a", {"a"});
  EXPECT_EQ(b.messages_of(), (Names{"job \"silver.a\": depends on itself"}));
}

TEST(BlueprintProblem, DependencyOnADisabledJob) {
  CatalogBuilder b;
  b.job("silver", "a", {"b"});
  b.job("silver", "b").enabled = false;
  EXPECT_EQ(b.messages_of(), (Names{"job \"silver.a\": depends on disabled job \"silver.b\""}));
  EXPECT_EQ(only_hint(b.blueprint()),
            "Enable it with UPDATE setup.load_jobs SET is_enabled = true WHERE layer = 'silver' AND job_name = "
            "'b', or remove the dependency.");
}

TEST(BlueprintProblem, DependencyOnAJobThatTheCallerMayNotRun) {
  CatalogBuilder b;
  b.job("silver", "a", {"b"});
  b.job("silver", "b").permitted = false;
  EXPECT_EQ(b.messages_of(), (Names{"job \"silver.a\": depends on \"silver.b\", a job that you may not run"}));
}

TEST(BlueprintProblem, DependencyOfADisabledJobIsNone) {
  CatalogBuilder b;
  b.job("silver", "a", {"nothing"}).enabled = false;
  b.job("silver", "b");
  EXPECT_EQ(b.run_of(), (Names{"silver.b"}));
}

TEST(BlueprintProblem, DependencyOfAJobThatTheCallerMayNotRunIsNone) {
  CatalogBuilder b;
  b.job("silver", "a", {"nothing"}).permitted = false;
  b.job("silver", "b");
  EXPECT_EQ(b.run_of(), (Names{"silver.b"}));
}

TEST(BlueprintProblem, DependencyOutsideTheScopeIsNone) {
  CatalogBuilder b;
  b.job("bronze", "a", {"nothing"});
  b.job("silver", "b");
  EXPECT_EQ(b.run_of({.layer = "silver"}), (Names{"silver.b"}));
}

TEST(BlueprintProblem, CycleIsPrintedFromItsFirstJobByNameAlongTheDependencies) {
  CatalogBuilder b;
  b.job("silver", "c", {"a"});
  b.job("silver", "b", {"c"});
  b.job("silver", "a", {"b"});
  b.job("silver", "behind", {"a"});
  EXPECT_EQ(b.messages_of(), (Names{"jobs depend on each other: silver.a -> silver.b -> silver.c -> silver.a"}));
  EXPECT_EQ(only_hint(b.blueprint()), "Remove one of these dependencies.");
}

TEST(BlueprintProblem, CycleBeginsWithTheFirstNameAndNotWithTheLowestLoadOrder) {
  CatalogBuilder b;
  b.job("silver", "b", {"a"}).load_order = 1;
  b.job("silver", "a", {"b"}).load_order = 2;
  EXPECT_EQ(b.messages_of(), (Names{"jobs depend on each other: silver.a -> silver.b -> silver.a"}));
}

TEST(BlueprintProblem, EachCycleIsReportedOnceInTheOrderOfLayersAndNames) {
  CatalogBuilder b;
  b.job("gold", "a", {"b"});
  b.job("gold", "b", {"a"});
  b.job("bronze", "y", {"z"});
  b.job("bronze", "z", {"y"});
  b.job("bronze", "p", {"q"});
  b.job("bronze", "q", {"p"});
  EXPECT_EQ(b.messages_of(), (Names{"jobs depend on each other: bronze.p -> bronze.q -> bronze.p",
                                    "jobs depend on each other: bronze.y -> bronze.z -> bronze.y",
                                    "jobs depend on each other: gold.a -> gold.b -> gold.a"}));
}

TEST(BlueprintProblem, CycleThroughADisabledJobIsNoCycle) {
  CatalogBuilder b;
  b.job("silver", "a", {"b"}).enabled = false;
  b.job("silver", "b", {"a"});
  EXPECT_EQ(b.messages_of(), (Names{"job \"silver.b\": depends on disabled job \"silver.a\""}));
}

TEST(BlueprintProblem, AllAreReportedByLayerLoadOrderAndNameAndCyclesLast) {
  CatalogBuilder b;
  b.job("gold", "g", {"nothing"});
  b.job("silver", "b", {"x", "y"}).load_order = 1;
  b.job("silver", "a", {"silver.a"}).load_order = 2;
  b.job("bronze", "p", {"q"});
  b.job("bronze", "q", {"p", "silver.b"});
  EXPECT_EQ(b.messages_of(),
            (Names{"job \"bronze.q\": depends on \"silver.b\", a job of a later layer",
                   "job \"silver.b\": depends on unknown job \"x\"", "job \"silver.b\": depends on unknown job \"y\"",
                   "job \"silver.a\": depends on itself", "job \"gold.g\": depends on unknown job \"nothing\"",
                   "jobs depend on each other: bronze.p -> bronze.q -> bronze.p"}));
  EXPECT_EQ(b.blueprint().steps.size(), 5u);  // its jobs, for checks of other kinds
}

TEST(BlueprintHint, QuotesNamesAsSqlLiterals) {
  CatalogBuilder b({"o'layer"});
  b.job("o'layer", "a", {"it's\\b"});
  b.job("o'layer", "it's\\b").enabled = false;
  EXPECT_EQ(only_hint(b.blueprint()),
            "Enable it with UPDATE setup.load_jobs SET is_enabled = true WHERE layer = 'o''layer' AND job_name = "
            "E'it''s\\\\b', or remove the dependency.");
}

TEST(BlueprintSize, AChainOfAHundredThousandJobsIsOrdered) {
  CatalogBuilder b;
  const int count = 100'000;
  for (int i = count - 1; i >= 0; --i) {
    b.job("bronze", "j" + std::to_string(i), i == 0 ? Names{} : Names{"j" + std::to_string(i - 1)});
  }
  const Blueprint made = b.blueprint();
  ASSERT_EQ(made.steps.size(), static_cast<std::size_t>(count));
  EXPECT_EQ(b.catalog.jobs[made.steps.back().job].name, "j99999");
}

TEST(BlueprintSize, ACycleOfAHundredThousandJobsIsReported) {
  CatalogBuilder b;
  const int count = 100'000;
  for (int i = 0; i < count; ++i) {
    b.job("bronze", "j" + std::to_string(i), {"j" + std::to_string((i + 1) % count)});
  }
  const Names messages = b.messages_of();
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_TRUE(messages[0].starts_with("jobs depend on each other: bronze.j0 -> bronze.j1 -> "));
  EXPECT_TRUE(messages[0].ends_with("-> bronze.j99999 -> bronze.j0"));
}

}  // namespace
}  // namespace etl::plan
