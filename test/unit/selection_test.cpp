#include <gtest/gtest.h>

#include "catalog_builder.h"
#include "plan/blueprint.h"

namespace etl::plan {
namespace {

// bronze.x    bronze.y
//    |           |
// silver.a    silver.b    silver.lone
//     \        /    |
//     silver.c      |
//         \         |
//         gold.r    gold.s
CatalogBuilder diamond() {
  CatalogBuilder b;
  b.job("bronze", "x");
  b.job("bronze", "y");
  b.job("silver", "a", {"bronze.x"});
  b.job("silver", "b", {"bronze.y"});
  b.job("silver", "c", {"a", "b"});
  b.job("silver", "lone");
  b.job("gold", "r", {"silver.c"});
  b.job("gold", "s", {"silver.b"});
  return b;
}

Job& find(CatalogBuilder& b, std::string_view name) {
  for (Job& job : b.catalog.jobs) {
    if (qualified_name(b.catalog, job) == name) return job;
  }
  ADD_FAILURE() << "no job " << name;
  return b.catalog.jobs.front();
}

Selection jobs(Names names) {
  return {.jobs = std::move(names)};
}

Selection with_upstream(Names names) {
  return {.jobs = std::move(names), .upstream = true};
}

Selection with_downstream(Names names) {
  return {.jobs = std::move(names), .downstream = true};
}

TEST(Selection, OfNothingTakesWhateverIsEnabledAndPermitted) {
  CatalogBuilder b;
  b.job("bronze", "a");
  b.job("bronze", "b").enabled = false;
  b.job("silver", "c").permitted = false;
  b.job("gold", "d");
  EXPECT_EQ(b.run_of(), (Names{"bronze.a", "gold.d"}));
}

TEST(Selection, OfALayerTakesThatLayerOnly) {
  EXPECT_EQ(diamond().run_of({.layer = "gold"}), (Names{"gold.r", "gold.s"}));
}

TEST(Selection, OfAnUnknownLayerIsTheOnlyProblem) {
  CatalogBuilder b;
  b.job("silver", "a", {"nothing"});
  const Blueprint made = b.blueprint({.layer = "plat", .jobs = Names{"nothing"}});
  ASSERT_EQ(made.problems.size(), 1u);
  EXPECT_EQ(made.problems[0].message, "unknown layer \"plat\"");
  EXPECT_EQ(made.problems[0].hint, "Create it with SELECT setup.create_layer('plat').");
}

TEST(Selection, OfJobsTakesExactlyThese) {
  EXPECT_EQ(diamond().run_of(jobs({"r", "silver.a"})), (Names{"silver.a", "gold.r"}));
}

TEST(Selection, OfJobsKeepsTheDependenciesAmongThem) {
  EXPECT_EQ(diamond().edges_of(jobs({"c", "a", "r"})), (Names{"silver.c after silver.a", "gold.r after silver.c"}));
}

TEST(Selection, OfNoJobsAtAllIsAnEmptyRun) {
  EXPECT_TRUE(diamond().run_of(jobs({})).empty());
  EXPECT_TRUE(diamond().messages_of(jobs({})).empty());
}

TEST(Selection, OfAJobNamedTwiceTakesItOnce) {
  EXPECT_EQ(diamond().run_of(jobs({"a", "silver.a", "a"})), (Names{"silver.a"}));
}

TEST(Selection, PrefersAnEntireNameToALayerAndAName) {
  CatalogBuilder b;
  b.job("bronze", "silver.a");
  b.job("silver", "a");
  EXPECT_EQ(b.run_of(jobs({"silver.a"})), (Names{"bronze.silver.a"}));
}

TEST(Selection, UnderstandsANameThatIsUniqueInTheScopeOnly) {
  CatalogBuilder b;
  b.job("bronze", "a");
  b.job("silver", "a");
  EXPECT_EQ(b.run_of({.layer = "silver", .jobs = Names{"a"}}), (Names{"silver.a"}));
}

TEST(Selection, RefusesAnUnknownJob) {
  const Blueprint made = diamond().blueprint(jobs({"x.y"}));
  ASSERT_EQ(made.problems.size(), 1u);
  EXPECT_EQ(made.problems[0].message, "unknown job \"x.y\"");
  EXPECT_EQ(made.problems[0].hint, "The jobs are listed in setup.load_jobs.");
}

TEST(Selection, TellsWhereAnUnknownJobWouldBe) {
  const Blueprint made = diamond().blueprint({.layer = "silver", .jobs = Names{"x"}});
  ASSERT_EQ(made.problems.size(), 1u);
  EXPECT_EQ(made.problems[0].message, "unknown job \"x\"");
  EXPECT_EQ(made.problems[0].hint, "Layer \"bronze\" has a job of that name, but this run does not cover that layer.");
}

TEST(Selection, RefusesAJobOutsideItsLayer) {
  EXPECT_EQ(diamond().messages_of({.layer = "silver", .jobs = Names{"bronze.x"}}),
            (Names{"job \"bronze.x\" is not in layer \"silver\""}));
}

TEST(Selection, RefusesANameOfSeveralLayers) {
  CatalogBuilder b;
  b.job("silver", "x");
  b.job("bronze", "x");
  const Blueprint made = b.blueprint(jobs({"x"}));
  ASSERT_EQ(made.problems.size(), 1u);
  EXPECT_EQ(made.problems[0].message, "job \"x\" is in several layers: bronze, silver");
  EXPECT_EQ(made.problems[0].hint, "Name it with its layer, as in 'bronze.x'.");
}

TEST(Selection, RefusesADisabledJob) {
  CatalogBuilder b;
  b.job("bronze", "b").enabled = false;
  const Blueprint made = b.blueprint(jobs({"b"}));
  ASSERT_EQ(made.problems.size(), 1u);
  EXPECT_EQ(made.problems[0].message, "job \"bronze.b\" is disabled");
  EXPECT_EQ(made.problems[0].hint,
            "Enable it with UPDATE setup.load_jobs SET is_enabled = true WHERE layer = 'bronze' AND job_name "
            "= 'b'.");
}

TEST(Selection, RefusesAJobThatTheCallerMayNotRunEvenIfItIsDisabledToo) {
  CatalogBuilder b;
  b.job("bronze", "b").permitted = false;
  find(b, "bronze.b").enabled = false;
  EXPECT_EQ(b.messages_of(jobs({"b"})), (Names{"job \"bronze.b\": you may not run it"}));
}

TEST(Selection, ReportsEveryNameThatItCannotTakeInTheirOrder) {
  EXPECT_EQ(diamond().messages_of(jobs({"q", "a", "p"})), (Names{"unknown job \"q\"", "unknown job \"p\""}));
}

TEST(Selection, ReportsBadNamesTogetherWithTheProblemsOfTheOthers) {
  CatalogBuilder b;
  b.job("bronze", "a", {"nothing"});
  EXPECT_EQ(b.messages_of(jobs({"a", "p"})),
            (Names{"unknown job \"p\"", "job \"bronze.a\": depends on unknown job \"nothing\""}));
}

TEST(Selection, OnlyChecksTheDependenciesOfJobsOfTheRun) {
  CatalogBuilder b;
  b.job("silver", "a", {"b"});
  b.job("silver", "b", {"a"});
  b.job("silver", "c", {"nothing"});
  EXPECT_EQ(b.run_of(jobs({"a"})), (Names{"silver.a"}));
}

TEST(Selection, LeavesOutADisabledDependencyOfANamedJob) {
  CatalogBuilder b = diamond();
  find(b, "silver.b").enabled = false;
  EXPECT_EQ(b.run_of(jobs({"c"})), (Names{"silver.c"}));
}

TEST(Selection, LeavesOutADependencyThatTheCallerMayNotRun) {
  CatalogBuilder b = diamond();
  find(b, "silver.b").permitted = false;
  EXPECT_EQ(b.run_of(jobs({"c"})), (Names{"silver.c"}));
}

TEST(SelectionUpstream, TakesWhateverTheNamedJobsDependOnTransitively) {
  EXPECT_EQ(diamond().run_of(with_upstream({"c"})),
            (Names{"bronze.x", "bronze.y", "silver.a", "silver.b", "silver.c"}));
}

TEST(SelectionUpstream, StaysInTheScope) {
  EXPECT_EQ(diamond().run_of({.layer = "silver", .jobs = Names{"c"}, .upstream = true}),
            (Names{"silver.a", "silver.b", "silver.c"}));
}

TEST(SelectionUpstream, RefusesADisabledDependencyBecauseItIsWanted) {
  CatalogBuilder b = diamond();
  find(b, "bronze.y").enabled = false;
  EXPECT_EQ(b.messages_of(with_upstream({"c"})), (Names{"job \"silver.b\": depends on disabled job \"bronze.y\""}));
}

TEST(SelectionUpstream, RefusesADisabledDependencyOfANamedJobToo) {
  CatalogBuilder b = diamond();
  find(b, "silver.b").enabled = false;
  EXPECT_EQ(b.messages_of(with_upstream({"c"})), (Names{"job \"silver.c\": depends on disabled job \"silver.b\""}));
}

TEST(SelectionUpstream, EndsInACycle) {
  CatalogBuilder b;
  b.job("silver", "a", {"b"});
  b.job("silver", "b", {"a"});
  EXPECT_EQ(b.messages_of(with_upstream({"b"})),
            (Names{"jobs depend on each other: silver.a -> silver.b -> silver.a"}));
}

TEST(SelectionDownstream, TakesWhateverDependsOnTheNamedJobsTransitively) {
  EXPECT_EQ(diamond().run_of(with_downstream({"bronze.y"})),
            (Names{"bronze.y", "silver.b", "silver.c", "gold.r", "gold.s"}));
}

TEST(SelectionDownstream, StaysInTheScope) {
  EXPECT_EQ(diamond().run_of({.layer = "silver", .jobs = Names{"b"}, .downstream = true}),
            (Names{"silver.b", "silver.c"}));
}

TEST(SelectionDownstream, StopsAtADisabledJob) {
  CatalogBuilder b = diamond();
  find(b, "silver.c").enabled = false;
  EXPECT_EQ(b.run_of(with_downstream({"b"})), (Names{"silver.b", "gold.s"}));
}

TEST(SelectionDownstream, StopsAtAJobThatTheCallerMayNotRun) {
  CatalogBuilder b = diamond();
  find(b, "silver.c").permitted = false;
  EXPECT_EQ(b.run_of(with_downstream({"b"})), (Names{"silver.b", "gold.s"}));
}

TEST(SelectionDownstream, IsNotDisturbedByAnUnknownDependencyElsewhere) {
  CatalogBuilder b = diamond();
  b.job("gold", "elsewhere", {"nothing"});
  EXPECT_EQ(b.run_of(with_downstream({"gold.s"})), (Names{"gold.s"}));
}

TEST(SelectionDownstream, LeavesOutOtherDependenciesOfWhatItAdds) {
  CatalogBuilder b = diamond();
  find(b, "silver.a").enabled = false;
  EXPECT_EQ(b.edges_of(with_downstream({"b"})),
            (Names{"silver.c after silver.b", "gold.r after silver.c", "gold.s after silver.b"}));
}

TEST(SelectionBothWays, WidensFromTheNamedJobsOnly) {
  // silver.c comes downstream of bronze.x; its other parent silver.b is not upstream of bronze.x.
  EXPECT_EQ(diamond().run_of({.jobs = Names{"a"}, .upstream = true, .downstream = true}),
            (Names{"bronze.x", "silver.a", "silver.c", "gold.r"}));
}

}  // namespace
}  // namespace etl::plan
