#include "locations/directory.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "temporary_directory.h"

namespace etl::locations {
namespace {

using Kind = FileError::Kind;
using Resolution = Directory::Resolution;

// Both ways to resolve a path keep it inside.
class DirectoryTest : public testing::TestWithParam<Resolution> {
 protected:
  Directory inside() const { return Directory::open(outside_.path("in"), GetParam()); }

  // "kind: reason", or the content.
  std::string open(const std::string& path) const {
    try {
      const File file = inside().open_file(path);
      std::string content;
      file.read_all([&](std::string_view piece) { return content += piece, true; });
      return content;
    } catch (const FileError& error) {
      return std::to_string(static_cast<int>(error.kind())) + ": " + error.what();
    }
  }
  bool refused(const std::string& path, Kind kind) const {
    return open(path).starts_with(std::to_string(static_cast<int>(kind)) + ": ");
  }

  void SetUp() override {
    outside_.write("secret.csv", "secret");
    outside_.write("in/a.csv", "a");
    outside_.write("in/sub/b.csv", "b");
    outside_.write("in-sibling/c.csv", "secret");
  }

  TemporaryDirectory outside_;
};

TEST_P(DirectoryTest, OpensFilesBeneath) {
  EXPECT_EQ(open("a.csv"), "a");
  EXPECT_EQ(open("sub/b.csv"), "b");
  EXPECT_EQ(open("./sub//./b.csv"), "b");
  EXPECT_EQ(inside().open_file("./sub//b.csv").path(), "sub/b.csv");
}

TEST_P(DirectoryTest, LetsNoPathOut) {
  for (const char* path : {"../secret.csv", "sub/../../secret.csv", "sub/../a.csv", "..", "../in-sibling/c.csv", "/",
                           "/etc/passwd", "sub/.."})
    EXPECT_TRUE(refused(path, Kind::kOutside)) << path << " gave " << open(path);
  EXPECT_TRUE(refused(outside_.path("in/a.csv"), Kind::kOutside));
  EXPECT_TRUE(refused(std::string("a.csv\0x", 7), Kind::kBroken));
}

TEST_P(DirectoryTest, LetsNoSymbolicLinkOut) {
  outside_.link("in/out.csv", "../secret.csv");
  outside_.link("in/absolute.csv", outside_.path("secret.csv"));
  outside_.link("in/absolute_inside.csv", outside_.path("in/a.csv"));
  outside_.link("in/up", "..");
  outside_.link("in/chain.csv", "out.csv");
  outside_.link("in/loop.csv", "loop.csv");
  outside_.link("in/magic", "/proc/self/root");
  for (const char* path :
       {"out.csv", "absolute.csv", "absolute_inside.csv", "up/secret.csv", "chain.csv", "loop.csv", "magic/etc/passwd"})
    EXPECT_TRUE(refused(path, Kind::kOutside)) << path << " gave " << open(path);
}

TEST_P(DirectoryTest, OpensOnlyRegularFiles) {
  outside_.directory("in/x.csv");
  outside_.pipe("in/pipe.csv");
  outside_.link("in/to_pipe.csv", "pipe.csv");
  EXPECT_TRUE(refused("x.csv", Kind::kNotRegular)) << open("x.csv");
  EXPECT_EQ(open("pipe.csv"), "2: is a named pipe");
  EXPECT_TRUE(refused("", Kind::kNotRegular));
  EXPECT_TRUE(refused(".", Kind::kNotRegular));

  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  strncpy(address.sun_path, outside_.path("in/socket.csv").c_str(), sizeof(address.sun_path) - 1);
  const Descriptor socket_of_somebody(socket(AF_UNIX, SOCK_STREAM, 0));
  ASSERT_EQ(bind(socket_of_somebody.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_TRUE(refused("socket.csv", Kind::kNotRegular)) << open("socket.csv");
}

TEST_P(DirectoryTest, SaysWhatIsMissing) {
  EXPECT_EQ(open("none.csv"), "0: does not exist");
  EXPECT_EQ(open("a.csv/b.csv"), "0: does not exist");
  EXPECT_EQ(open("none/b.csv"), "0: does not exist");
  EXPECT_TRUE(refused(std::string(300, 'x'), Kind::kBroken));
}

TEST_P(DirectoryTest, SaysWhatIsDenied) {
  if (geteuid() == 0) GTEST_SKIP() << "nothing is denied to root";
  outside_.write("in/closed.csv");
  chmod(outside_.path("in/closed.csv").c_str(), 0);
  EXPECT_TRUE(refused("closed.csv", Kind::kUnreadable));
}

TEST_P(DirectoryTest, OpensDirectoriesBeneath) {
  EXPECT_EQ(inside().open_directory("sub").list().at(0).path, "b.csv");
  EXPECT_EQ(inside().open_directory("").list().size(), 2U);
  EXPECT_THROW(inside().open_directory(".."), FileError);
  EXPECT_THROW(inside().open_directory("a.csv"), FileError);
}

TEST_P(DirectoryTest, ListsWhatLiesBeneath) {
  outside_.write("in/sub/deep/z.csv", "12345");
  outside_.modified_at("in/sub/deep/z.csv", 1'700'000'000);
  outside_.write("in/sub.csv");
  outside_.pipe("in/pipe.csv");
  outside_.link("in/out.csv", "../secret.csv");
  outside_.link("in/up", "..");
  outside_.link("in/nothing.csv", "none.csv");
  std::vector<std::string> paths;
  for (const Entry& it : inside().list()) paths.push_back(it.path + (it.problem.empty() ? "" : " !"));
  EXPECT_EQ(paths, (std::vector<std::string>{"a.csv", "nothing.csv !", "out.csv !", "pipe.csv !", "sub.csv",
                                             "sub/b.csv", "sub/deep/z.csv", "up !"}));
  EXPECT_EQ(inside().list()[6].facts, (FileFacts{5, 1'700'000'000'000'000'000}));
}

TEST_P(DirectoryTest, StopsListingWhereToldTo) {
  Listing listing;
  listing.leave_out = [](const std::string& path) -> std::optional<std::string> { return path == "sub" ? "no" : ""; };
  EXPECT_EQ(inside().list(listing).at(1).path, "sub");
  EXPECT_EQ(inside().list(listing).at(1).problem, "no");

  listing = {};
  listing.most_entries = 2;
  try {
    inside().list(listing);
    FAIL() << "listed 3 entries";
  } catch (const FileError& error) {
    EXPECT_EQ(error.kind(), Kind::kTooMany);
  }

  listing = {};
  listing.tick = [] { throw std::string("cancelled"); };
  EXPECT_THROW(inside().list(listing), std::string);
}

TEST_P(DirectoryTest, NoticesThatAFileChangesWhileItIsRead) {
  const File file = inside().open_file("a.csv");
  EXPECT_EQ(file.facts(), file.facts_now());
  outside_.write("in/a.csv", "longer");
  EXPECT_NE(file.facts(), file.facts_now());
}

TEST_P(DirectoryTest, ReadsInPieces) {
  std::string big(700'000, 'x');
  big[699'999] = 'y';
  outside_.write("in/big.csv", big);
  EXPECT_EQ(open("big.csv"), big);
  char two[2];
  EXPECT_EQ(inside().open_file("big.csv").read(699'999, two, 2), 1U);
  EXPECT_EQ(two[0], 'y');
}

INSTANTIATE_TEST_SUITE_P(Resolutions, DirectoryTest, testing::Values(Resolution::kKernel, Resolution::kWalk),
                         [](const auto& it) { return it.param == Resolution::kKernel ? "Kernel" : "Walk"; });

TEST(Directory, FollowsLinksThatStayInside) {
  TemporaryDirectory place;
  place.write("sub/b.csv", "12");
  place.link("link.csv", "sub/b.csv");
  place.link("to_sub", "sub");
  place.link("sub/back", "..");
  const Directory directory = Directory::open(place.path());
  EXPECT_EQ(directory.open_file("link.csv").facts().size, 2);
  EXPECT_EQ(directory.open_file("to_sub/b.csv").facts().size, 2);
  EXPECT_EQ(directory.list().at(0).facts.size, 2);
  EXPECT_EQ(directory.list().size(), 4U);  // and no loop
}

TEST(Directory, KnowsNoTimeAfterTheLast) {
  struct stat status = {};
  status.st_mtim.tv_sec = 9'223'372'035;
  const int64_t last = facts_of(status).modified_ns;
  EXPECT_EQ(last, 9'223'372'035'000'000'000);
  status.st_mtim.tv_sec = 9'999'999'999;
  EXPECT_EQ(facts_of(status).modified_ns, last);
  status.st_mtim.tv_sec = -9'999'999'999;
  EXPECT_EQ(facts_of(status).modified_ns, -last);
}

TEST(File, IsOpenedByItsAbsolutePath) {
  TemporaryDirectory place;
  place.write("real/x.csv", "12");
  place.link("link", place.path("real"));
  place.pipe("pipe");
  EXPECT_EQ(File::open(place.path("link/x.csv")).facts().size, 2);
  for (const char* name : {"real", "pipe", "none"})  // a pipe does not make it wait
    EXPECT_THROW(File::open(place.path(name)), FileError) << name;
}

TEST(Directory, MustBeOne) {
  TemporaryDirectory place;
  place.write("x");
  EXPECT_THROW(Directory::open(place.path("x")), FileError);
  EXPECT_THROW(Directory::open(place.path("none")), FileError);
}

TEST(Directory, MayBeReachedThroughALink) {
  TemporaryDirectory place;
  place.write("real/x.csv");
  place.link("link", "real");
  EXPECT_EQ(Directory::open(place.path("link")).list().size(), 1U);
}

}  // namespace
}  // namespace etl::locations
