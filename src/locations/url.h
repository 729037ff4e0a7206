// The URL of a location and the directory that it means.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace etl::locations {

// What is wrong with a URL, in words that go on 'url "x" ...'.
class UrlError : public std::runtime_error {
 public:
  UrlError(bool is_unsupported, const std::string& reason)
      : std::runtime_error(reason), is_unsupported_(is_unsupported) {}
  bool is_unsupported() const { return is_unsupported_; }  // well, but for another kind of store

 private:
  bool is_unsupported_;
};

// "/data" for "file:///data", which is percent-decoded, and for "/data/", which is not. UrlError for anything else.
std::string directory_of_url(std::string_view url);

// The one way to write it: "file:///data".
std::string url_of_directory(std::string_view directory);

}  // namespace etl::locations
