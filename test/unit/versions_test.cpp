#include "locations/versions.h"

#include <gtest/gtest.h>

namespace etl::locations {
namespace {

// Files by path, each as the letter that stands for its content; and what was loaded of them.
class Versions : public testing::Test {
 protected:
  void load(int64_t id, const std::string& path, const std::string& content) {
    loaded.push_back({id, version(path, content), false, std::nullopt});
  }

  static Version version(const std::string& path, const std::string& content) { return {path, {1, 0}, content}; }

  // What the file at a path was, as "path" or "nothing".
  std::string was(MovedVersions& moved, const std::string& path) {
    const std::optional<Known> found = moved.take(version(path, files.at(path)));
    return found ? found->version.path : "nothing";
  }

  MovedVersions moved() {
    return MovedVersions(
        [this](const Version& file) {
          ++searches;
          std::vector<Known> same;
          for (const Known& known : loaded)
            if (known.version.hash == file.hash) same.push_back(known);
          return same;
        },
        [this](const Version& asked) {
          ++looks;
          const auto found = files.find(asked.path);
          return found == files.end() || found->second != asked.hash;
        });
  }

  std::map<std::string, std::string> files;
  std::vector<Known> loaded;
  int searches = 0;
  int looks = 0;
};

TEST_F(Versions, FindsAFileThatWasRenamed) {
  load(1, "a", "A");
  files = {{"b", "A"}};
  MovedVersions moves = moved();
  EXPECT_EQ(was(moves, "b"), "a");
}

TEST_F(Versions, FindsAFileWhoseOldNameAnotherOneHasTaken) {
  load(1, "log.csv", "A");
  files = {{"log.1.csv", "A"}, {"log.csv", "B"}};
  MovedVersions moves = moved();
  EXPECT_EQ(was(moves, "log.1.csv"), "log.csv");
  EXPECT_EQ(was(moves, "log.csv"), "nothing");
}

TEST_F(Versions, FollowsAChain) {
  load(1, "log.csv", "A");
  load(2, "log.1.csv", "B");
  load(3, "log.2.csv", "C");
  files = {{"log.csv", "new"}, {"log.1.csv", "A"}, {"log.2.csv", "B"}, {"log.3.csv", "C"}};
  MovedVersions moves = moved();
  EXPECT_EQ(was(moves, "log.1.csv"), "log.csv");
  EXPECT_EQ(was(moves, "log.2.csv"), "log.1.csv");
  EXPECT_EQ(was(moves, "log.3.csv"), "log.2.csv");
}

TEST_F(Versions, FollowsFilesThatChangedPlaces) {
  load(1, "a", "A");
  load(2, "b", "B");
  files = {{"a", "B"}, {"b", "A"}};
  MovedVersions moves = moved();
  EXPECT_EQ(was(moves, "a"), "b");
  EXPECT_EQ(was(moves, "b"), "a");
}

TEST_F(Versions, TellsACopyFromAMove) {
  load(1, "a", "A");
  files = {{"a", "A"}, {"b", "A"}};
  MovedVersions moves = moved();
  EXPECT_EQ(was(moves, "b"), "nothing");
}

TEST_F(Versions, MovesAVersionOnce) {
  load(1, "a", "A");
  load(2, "b", "A");
  files = {{"c", "A"}, {"d", "A"}, {"e", "A"}};
  MovedVersions moves = moved();
  EXPECT_EQ(was(moves, "c"), "a");
  EXPECT_EQ(was(moves, "d"), "b");
  EXPECT_EQ(was(moves, "e"), "nothing");
}

TEST_F(Versions, LooksAtEachVersionOnceHoweverManyFilesAreTheSame) {
  for (int i = 0; i < 100; ++i) {
    load(i, "known " + std::to_string(i), "A");
    files["known " + std::to_string(i)] = "A";
    files["new " + std::to_string(i)] = "A";
  }
  MovedVersions moves = moved();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(was(moves, "new " + std::to_string(i)), "nothing");
  EXPECT_EQ(searches, 1);
  EXPECT_EQ(looks, 100);
}

TEST_F(Versions, KnowsWhoseWasTheNameThatWasTaken) {
  load(1, "a", "A");
  load(2, "b", "B");
  load(3, "c", "C");
  const std::vector<Move> moves = {{loaded[0], version("b", "A")}, {loaded[1], version("c", "B")}};
  const std::vector<Known> gone = displaced(moves, {loaded[1], loaded[2]});  // that were at b and c
  ASSERT_EQ(gone.size(), 1u);
  EXPECT_EQ(gone[0].version.path, "c");
}

}  // namespace
}  // namespace etl::locations
