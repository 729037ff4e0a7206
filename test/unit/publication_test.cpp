#include "locations/publication.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "temporary_directory.h"

namespace etl::locations {
namespace {

using Kind = Publication::Kind;
using Renaming = Publication::Renaming;

class PublicationTest : public testing::Test {
 protected:
  Directory root() const { return Directory::open(there_.path()); }

  // All names, "a b/ b/c", hidden ones as ".".
  std::string names() const {
    std::vector<std::string> found;
    for (auto it = std::filesystem::recursive_directory_iterator(there_.path()); it != end(it); ++it) {
      const bool is_hidden = it->path().filename().string().starts_with('.');
      const std::string path = std::filesystem::relative(it->path(), there_.path()).string();
      found.push_back(is_hidden ? "." : path + (it->is_directory() ? "/" : ""));
      if (is_hidden) it.disable_recursion_pending();
    }
    std::sort(found.begin(), found.end());
    std::string joined;
    for (const std::string& name : found) joined += (joined.empty() ? "" : " ") + name;
    return joined;
  }
  std::string content(const std::string& name) const {
    std::ifstream file(there_.path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static FileFacts write(const Descriptor& file, const std::string& text) {
    EXPECT_EQ(::write(file.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    return Publication::seal(file);
  }
  Publication file(const std::string& path, const std::string& text, Renaming renaming = Renaming::kKernel) const {
    Publication made(root(), path, Kind::kFile, renaming);
    EXPECT_EQ(::write(made.descriptor(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    made.seal();
    return made;
  }
  Publication folder(const std::string& path, const std::vector<std::string>& files,
                     Renaming renaming = Renaming::kKernel) const {
    Publication made(root(), path, Kind::kFolder, renaming);
    for (const std::string& name : files) write(made.new_file(name), name);
    made.seal();
    return made;
  }
  static void publish(Publication made, bool may_replace = false) {
    made.publish(may_replace);
    made.keep();
  }
  unsigned mode(const std::string& name) const {
    return static_cast<unsigned>(std::filesystem::status(there_.path(name)).permissions());
  }

  TemporaryDirectory there_;
};

TEST_F(PublicationTest, AppearsOnlyWhenItIsPublished) {
  Publication made = file("a/b.csv", "new");
  EXPECT_EQ(names(), ". a/");
  EXPECT_TRUE(root().list({.leave_out = {}, .tick = {}}).front().path.starts_with("a/.b.csv.export-"));
  publish(std::move(made));
  EXPECT_EQ(names(), "a/ a/b.csv");
  EXPECT_EQ(content("a/b.csv"), "new");
}

TEST_F(PublicationTest, LeavesNothingWhenItIsGivenUp) {
  { const Publication made = file("b.csv", "new"); }
  { const Publication made = folder("b", {"x=1/data.csv", "x=2/y=3/data.csv"}); }
  EXPECT_EQ(names(), "");
}

TEST_F(PublicationTest, ReplacesOnlyWhatItMay) {
  there_.write("b.csv", "old");
  {
    Publication made = file("b.csv", "new");
    EXPECT_THROW(made.publish(false), FileError);
  }
  EXPECT_EQ(content("b.csv"), "old");
  publish(file("b.csv", "new"), true);
  EXPECT_EQ(content("b.csv"), "new");
  EXPECT_EQ(names(), "b.csv");
}

// Where the file system can exchange two names, and where it cannot.
class RenamingTest : public PublicationTest, public testing::WithParamInterface<Renaming> {
 protected:
  Publication file(const std::string& path, const std::string& text) const {
    return PublicationTest::file(path, text, GetParam());
  }
  Publication folder(const std::string& path, const std::vector<std::string>& files) const {
    return PublicationTest::folder(path, files, GetParam());
  }
};

TEST_P(RenamingTest, ReplacesAFolderAsAWhole) {
  publish(folder("b", {"x=1/data.csv", "x=2/data.csv"}));
  publish(folder("b", {"x=2/data.csv", "x=3/data.csv"}), true);
  EXPECT_EQ(names(), "b/ b/x=2/ b/x=2/data.csv b/x=3/ b/x=3/data.csv");
}

TEST_P(RenamingTest, ReplacesAFileByAFolderAndBack) {
  publish(file("b", "text"));
  publish(folder("b", {"c"}), true);
  EXPECT_EQ(names(), "b/ b/c");
  publish(file("b", "text"), true);
  EXPECT_EQ(names(), "b");
  EXPECT_EQ(content("b"), "text");
}

TEST_P(RenamingTest, PutsBackWhatItReplacedUnlessItIsToStay) {
  publish(file("file", "old"));
  publish(folder("folder", {"old"}));
  {
    Publication made[] = {file("file", "new"), folder("folder", {"new"}), file("other", "new"),
                          folder("others", {"new"})};
    for (Publication& it : made) it.publish(true);
    EXPECT_EQ(content("file"), "new");
    EXPECT_TRUE(std::filesystem::exists(there_.path("folder/new")));
    EXPECT_TRUE(std::filesystem::exists(there_.path("others/new")));
  }
  EXPECT_EQ(names(), "file folder/ folder/old");
  EXPECT_EQ(content("file"), "old");
  {
    Publication made[] = {folder("file", {"new"}), file("folder", "new")};
    for (Publication& it : made) it.publish(true);
    EXPECT_EQ(names(), ". . file/ file/new folder");
  }
  EXPECT_EQ(names(), "file folder/ folder/old");
  EXPECT_EQ(content("file"), "old");
}

TEST_P(RenamingTest, LeavesWhatSomebodyElseHasPutThereMeanwhile) {
  publish(file("b.csv", "old"));
  {
    Publication made = file("b.csv", "new");
    made.publish(true);
    publish(file("b.csv", "somebody's"), true);
  }
  EXPECT_EQ(names(), "b.csv");
  EXPECT_EQ(content("b.csv"), "somebody's");
}

INSTANTIATE_TEST_SUITE_P(Ways, RenamingTest, testing::Values(Renaming::kKernel, Renaming::kPlain),
                         [](const auto& it) { return it.param == Renaming::kKernel ? "Kernel" : "Plain"; });

TEST_F(PublicationTest, CanBeReadByEverybody) {
  const mode_t before = umask(0077);
  publish(file("a/b.csv", "new"));
  publish(folder("c", {"x=1/data.csv"}));
  umask(before);
  for (const char* name : {"a", "c", "c/x=1"}) EXPECT_EQ(mode(name), 0755U) << name;
  for (const char* name : {"a/b.csv", "c/x=1/data.csv"}) EXPECT_EQ(mode(name), 0644U) << name;
}

TEST_F(PublicationTest, RemovesWhatADeadProcessLeft) {
  const pid_t child = fork();
  if (child == 0) {
    const Publication one = file("b.csv", "half");
    const Publication other = folder("d", {"x=1/data.csv"});
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(names().starts_with(". .")) << names();
  publish(file("b.csv", "new"));
  publish(folder("d", {"x=2/data.csv"}));
  EXPECT_EQ(names(), "b.csv d/ d/x=2/ d/x=2/data.csv");
}

TEST_F(PublicationTest, LeavesAloneWhatSomebodyIsWriting) {
  Publication first = file("b.csv", "first");
  Publication second = file("b.csv", "second");
  publish(std::move(first), true);
  publish(std::move(second), true);
  EXPECT_EQ(content("b.csv"), "second");
  EXPECT_EQ(names(), "b.csv");
}

TEST_F(PublicationTest, StaysInTheDirectory) {
  TemporaryDirectory elsewhere;
  there_.link("out", elsewhere.path());
  for (const char* path : {"../b.csv", "/tmp/b.csv", "out/b.csv", "out/deep/b.csv"})
    EXPECT_THROW(Publication(root(), path, Kind::kFile), FileError) << path;
  EXPECT_THROW(Publication(root(), "", Kind::kFile), FileError);
  EXPECT_TRUE(std::filesystem::is_empty(elsewhere.path()));
}

TEST_F(PublicationTest, ReplacesALinkItselfNotWhatItLeadsTo) {
  TemporaryDirectory elsewhere;
  elsewhere.write("secret", "secret");
  elsewhere.write("folder/secret", "secret");
  there_.link("b.csv", elsewhere.path("secret"));
  there_.link("c", elsewhere.path("folder"));
  publish(file("b.csv", "new"), true);
  publish(folder("c", {"data.csv"}), true);
  EXPECT_EQ(names(), "b.csv c/ c/data.csv");
  EXPECT_TRUE(std::filesystem::exists(elsewhere.path("secret")));
  EXPECT_TRUE(std::filesystem::exists(elsewhere.path("folder/secret")));
}

TEST_F(PublicationTest, NamesThatAreTooLongAreRefused) {
  EXPECT_THROW(Publication(root(), std::string(250, 'x'), Kind::kFile), FileError);
}

// With so few descriptors that it fails after the folder was made, or the file in it.
TEST_F(PublicationTest, LeavesNothingWhereItCannotBegin) {
  const int taken = dup(0);
  close(taken);
  const pid_t child = fork();
  if (child == 0) {
    const rlimit seconds{5, 5};  // of a loop that would not end
    setrlimit(RLIMIT_CPU, &seconds);
    int failed = 0;
    for (int more = 1; more < 12; ++more) {
      const rlimit descriptors{static_cast<rlim_t>(taken + more), static_cast<rlim_t>(taken + 12)};
      setrlimit(RLIMIT_NOFILE, &descriptors);
      try {
        const Publication made(root(), "b.csv", Kind::kFile);
      } catch (const FileError&) {
        ++failed;
      }
      const rlimit enough{static_cast<rlim_t>(taken + 12), static_cast<rlim_t>(taken + 12)};
      setrlimit(RLIMIT_NOFILE, &enough);
      if (!names().empty()) _exit(1);
    }
    _exit(failed > 2 && failed < 11 ? 0 : 2);
  }
  int status;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST_F(PublicationTest, KnowsWhatIsForeign) {
  Publication made(root(), "d", Kind::kFolder);
  const FileFacts one = write(made.new_file("x=1/data.csv"), "1");
  const FileFacts two = write(made.new_file("x=2/data.csv"), "22");
  made.seal();
  publish(std::move(made));
  const Written written{{"d/x=1/data.csv", one}, {"d/x=2/data.csv", two}, {"d/gone.csv", one}};
  const auto foreign = [&](const std::string& path, const Written& expected) {
    return first_foreign(root(), path, expected, [] {});
  };
  EXPECT_EQ(foreign("d", written), "");
  EXPECT_EQ(foreign("d", {}), "d/x=1/data.csv");
  EXPECT_EQ(foreign("d", {{"d/x=1/data.csv", one}, {"d/x=2/data.csv", one}}), "d/x=2/data.csv");
  EXPECT_EQ(foreign("d/x=1/data.csv", written), "");
  EXPECT_EQ(foreign("d/x=1/data.csv", {}), "d/x=1/data.csv");
  EXPECT_EQ(foreign("none/none", {}), "");
  there_.directory("d/x=0");
  EXPECT_EQ(foreign("d", written), "");
  there_.link("d/x=0/to_nothing", "nothing");
  EXPECT_EQ(foreign("d", written), "d/x=0/to_nothing");
  there_.link("to_d", "d");
  EXPECT_EQ(foreign("to_d", written), "to_d");
}

TEST_F(PublicationTest, RemovesAFileOnlyIfItIsAsItWasWritten) {
  Publication made(root(), "d", Kind::kFolder);
  const FileFacts facts = write(made.new_file("x=1/data.csv"), "text");
  made.seal();
  publish(std::move(made));
  there_.write("d/x=1/other.csv", "other");
  EXPECT_EQ(remove_if_unchanged(root(), "d/x=1/data.csv", {facts.size + 1, facts.modified_ns}), Removal::kChanged);
  EXPECT_EQ(remove_if_unchanged(root(), "d/x=1/data.csv", facts), Removal::kRemoved);
  EXPECT_EQ(remove_if_unchanged(root(), "d/x=1/data.csv", facts), Removal::kMissing);
  remove_empty_directories(root(), "d");
  EXPECT_EQ(names(), "d/ d/x=1/ d/x=1/other.csv");
  std::filesystem::remove(there_.path("d/x=1/other.csv"));
  remove_empty_directories(root(), "d");
  EXPECT_EQ(names(), "");
}

}  // namespace
}  // namespace etl::locations
