#include "locations/publication.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "temporary_directory.h"

namespace etl::locations {
namespace {

using Kind = Publication::Kind;

class PublicationTest : public testing::Test {
 protected:
  Directory root() const { return Directory::open(there_.path()); }

  // All names, "a b/ b/c", hidden ones as ".".
  std::string names() const {
    std::vector<std::string> found;
    for (const auto& it : std::filesystem::recursive_directory_iterator(there_.path())) {
      const std::string name = it.path().filename().string();
      const std::string path = std::filesystem::relative(it.path(), there_.path()).string();
      found.push_back(name.starts_with('.') ? "." : path + (it.is_directory() ? "/" : ""));
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
  Publication file(const std::string& path, const std::string& text) const {
    Publication made(root(), path, Kind::kFile);
    EXPECT_EQ(::write(made.descriptor(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    made.seal();
    return made;
  }
  Publication folder(const std::string& path, const std::vector<std::string>& files) const {
    Publication made(root(), path, Kind::kFolder);
    for (const std::string& name : files) write(made.new_file(name), name);
    made.seal();
    return made;
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
  made.publish(false);
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
  Publication made = file("b.csv", "new");
  EXPECT_THROW(made.publish(false), FileError);
  EXPECT_EQ(content("b.csv"), "old");
  made.publish(true);
  EXPECT_EQ(content("b.csv"), "new");
  EXPECT_EQ(names(), "b.csv");
}

TEST_F(PublicationTest, ReplacesAFolderAsAWhole) {
  folder("b", {"x=1/data.csv", "x=2/data.csv"}).publish(false);
  folder("b", {"x=2/data.csv", "x=3/data.csv"}).publish(true);
  EXPECT_EQ(names(), "b/ b/x=2/ b/x=2/data.csv b/x=3/ b/x=3/data.csv");
}

TEST_F(PublicationTest, ReplacesAFileByAFolderAndBack) {
  file("b", "text").publish(false);
  folder("b", {"c"}).publish(true);
  EXPECT_EQ(names(), "b/ b/c");
  file("b", "text").publish(true);
  EXPECT_EQ(names(), "b");
}

TEST_F(PublicationTest, CanBeReadByEverybody) {
  const mode_t before = umask(0077);
  file("a/b.csv", "new").publish(false);
  folder("c", {"x=1/data.csv"}).publish(false);
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
  file("b.csv", "new").publish(false);
  folder("d", {"x=2/data.csv"}).publish(false);
  EXPECT_EQ(names(), "b.csv d/ d/x=2/ d/x=2/data.csv");
}

TEST_F(PublicationTest, LeavesAloneWhatSomebodyIsWriting) {
  Publication first = file("b.csv", "first");
  Publication second = file("b.csv", "second");
  first.publish(true);
  second.publish(true);
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
  file("b.csv", "new").publish(true);
  folder("c", {"data.csv"}).publish(true);
  EXPECT_EQ(names(), "b.csv c/ c/data.csv");
  EXPECT_TRUE(std::filesystem::exists(elsewhere.path("secret")));
  EXPECT_TRUE(std::filesystem::exists(elsewhere.path("folder/secret")));
}

TEST_F(PublicationTest, NamesThatAreTooLongAreRefused) {
  EXPECT_THROW(Publication(root(), std::string(250, 'x'), Kind::kFile), FileError);
}

TEST_F(PublicationTest, RemovesAFileOnlyIfItIsAsItWasWritten) {
  Publication made(root(), "d", Kind::kFolder);
  const FileFacts facts = write(made.new_file("x=1/data.csv"), "text");
  made.seal();
  made.publish(false);
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
