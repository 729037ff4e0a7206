#include "locations/fence.h"

#include "locations/url.h"

#include <algorithm>

#include "locations/directory.h"
#include "locations/text.h"

namespace etl::locations {
namespace {

constexpr std::string_view kFile = "file://";

bool is_scheme(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '-' ||
           c == '.';
  });
}

// The path of a file URL, still encoded. Case matters in a path only.
std::string_view path_of(std::string_view url) {
  const size_t colon = url.find("://");
  if (colon == std::string_view::npos || !is_scheme(url.substr(0, colon)))
    throw UrlError(false, "is neither an absolute path nor a file URL");
  std::string scheme(url.substr(0, colon + 3));
  for (char& c : scheme) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (scheme != kFile) throw UrlError(true, "is of a kind that is not supported");
  std::string_view rest = url.substr(kFile.size());
  if (rest.starts_with("localhost/")) rest.remove_prefix(std::string_view("localhost").size());
  if (!rest.starts_with('/')) throw UrlError(true, "names another machine or a relative path");
  return rest;
}

}  // namespace

std::string directory_of_url(std::string_view url) {
  const std::string path = url.starts_with('/') ? std::string(url) : percent_decoded(path_of(url));
  if (!is_valid_utf8(path)) throw UrlError(false, "is not UTF-8 when it is decoded");
  const size_t begin = std::min(path.find_first_not_of('/'), path.size());
  try {
    return "/" + normalized(std::string_view(path).substr(begin));
  } catch (const FileError&) {
    throw UrlError(false, "must not hold \"..\" or NUL");
  }
}

std::string url_of_directory(std::string_view directory) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string url(kFile);
  for (const char c : directory) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte == 0x7F || c == '%' || c == '?' || c == '#') {
      url.push_back('%');
      url.push_back(kDigits[byte >> 4]);
      url.push_back(kDigits[byte & 15]);
    } else {
      url.push_back(c);
    }
  }
  return url;
}

}  // namespace etl::locations
