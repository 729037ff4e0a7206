#include "locations/url.h"

#include <gtest/gtest.h>

namespace etl::locations {
namespace {

TEST(Url, MeansADirectory) {
  EXPECT_EQ(directory_of_url("file:///data/in"), "/data/in");
  EXPECT_EQ(directory_of_url("FILE:///data/in/"), "/data/in");
  EXPECT_EQ(directory_of_url("file://localhost/data"), "/data");
  EXPECT_EQ(directory_of_url("/data//./in/"), "/data/in");
  EXPECT_EQ(directory_of_url("file:///"), "/");
  EXPECT_EQ(directory_of_url("/"), "/");
}

TEST(Url, IsDecodedButAPathIsNot) {
  EXPECT_EQ(directory_of_url("file:///a%20b/100%25"), "/a b/100%");
  EXPECT_EQ(directory_of_url("/a%20b"), "/a%20b");
}

TEST(Url, IsWrittenInOneWay) {
  EXPECT_EQ(url_of_directory("/a b/100%/é?#"), "file:///a%20b/100%25/é%3F%23");
  for (const char* directory : {"/", "/a b", "/100%25", "/é\n"})
    EXPECT_EQ(directory_of_url(url_of_directory(directory)), directory);
}

// "unsupported", "wrong" or "good".
std::string verdict(std::string_view url) {
  try {
    directory_of_url(url);
    return "good";
  } catch (const UrlError& error) {
    return error.is_unsupported() ? "unsupported" : "wrong";
  }
}

TEST(Url, SaysWhetherItIsWrongOrNotSupported) {
  for (const char* url : {"s3://bucket/x", "https://host/x", "gs://b", "file://host/x", "file://data"})
    EXPECT_EQ(verdict(url), "unsupported") << url;
  for (const char* url : {"", "data", "./data", "file:data", "file:///a/../b", "/a/..", "file:///a%00b", "file:///%FF",
                          "file:///%2E%2E/x", "://x"})
    EXPECT_EQ(verdict(url), "wrong") << url;
}

}  // namespace
}  // namespace etl::locations
