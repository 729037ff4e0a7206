#include "locations/notifier.h"

#include <gtest/gtest.h>
#include <poll.h>

#include "temporary_directory.h"

namespace etl::locations {
namespace {

class NotifierTest : public testing::Test {
 protected:
  void watch(int place, const std::string& path) {
    notifier_.watch(
        place, Directory::open(there_.path(path)),
        [](const std::string& directory) {
          return directory == "hidden" ? std::optional<std::string>("hidden") : std::nullopt;
        },
        [] {});
  }
  bool is_readable() const {
    pollfd fd{notifier_.descriptor(), POLLIN, 0};
    return poll(&fd, 1, 0) == 1;
  }
  void SetUp() override {
    there_.directory("a/sub/deep");
    there_.directory("a/hidden");
    there_.directory("b");
    watch(1, "a");
    watch(2, "b");
  }

  TemporaryDirectory there_;
  Notifier notifier_;
};

TEST_F(NotifierTest, TellsWhereSomethingChanged) {
  EXPECT_TRUE(notifier_.changes().empty());
  EXPECT_FALSE(is_readable());
  there_.write("b/x.csv");
  EXPECT_TRUE(is_readable());
  EXPECT_EQ(notifier_.changes(), std::set<int>{2});
  EXPECT_TRUE(notifier_.changes().empty());
  there_.write("a/sub/deep/x.csv");
  EXPECT_EQ(notifier_.changes(), std::set<int>{1});
}

TEST_F(NotifierTest, TellsOfRenamedAndChangedFiles) {
  there_.write("a/x.csv");
  there_.write("y.csv");
  notifier_.changes();
  std::filesystem::rename(there_.path("y.csv"), there_.path("a/y.csv"));
  EXPECT_EQ(notifier_.changes(), std::set<int>{1});
  there_.write("a/x.csv", "more");
  EXPECT_EQ(notifier_.changes(), std::set<int>{1});
}

TEST_F(NotifierTest, SaysNothingOfWhatIsLeftOut) {
  there_.write("a/hidden/x.csv");
  EXPECT_TRUE(notifier_.changes().empty());
}

TEST_F(NotifierTest, LearnsOfNewDirectoriesWhenItIsAskedAgain) {
  there_.directory("a/new");
  EXPECT_EQ(notifier_.changes(), std::set<int>{1});
  watch(1, "a");
  there_.write("a/new/x.csv");
  EXPECT_EQ(notifier_.changes(), std::set<int>{1});
}

TEST_F(NotifierTest, HearsOfADirectoryInTwoPlacesTwice) {
  watch(3, "a/sub");
  there_.write("a/sub/x.csv");
  EXPECT_EQ(notifier_.changes(), (std::set<int>{1, 3}));
}

TEST_F(NotifierTest, SurvivesTheEndOfADirectory) {
  std::filesystem::remove_all(there_.path("a"));
  EXPECT_EQ(notifier_.changes(), std::set<int>{1});
  EXPECT_TRUE(notifier_.changes().empty());
}

TEST_F(NotifierTest, TakesAnOverflowForAChangeOfEverything) {
  std::ifstream setting("/proc/sys/fs/inotify/max_queued_events");
  int most = 0;
  setting >> most;
  if (most == 0 || most > 100'000) GTEST_SKIP();
  // Two events in turn, since equal ones that follow each other are one.
  there_.write("b/x.csv");
  there_.write("b/y.csv");
  notifier_.changes();
  for (int i = 0; i < most + 10; ++i) there_.modified_at(i % 2 == 0 ? "b/x.csv" : "b/y.csv", i);
  EXPECT_EQ(notifier_.changes(), (std::set<int>{1, 2}));
}

}  // namespace
}  // namespace etl::locations
