#include "states/fence.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>

#include "states/base64.h"
#include "states/digest.h"
#include "states/intrinsic_call.h"
#include "states/utf8.h"

namespace etl::states {
namespace {

constexpr size_t kMostCharacters = 10'000;  // that can be encoded, decoded or hashed
constexpr size_t kLongestRange = 1'000;     // elements

[[noreturn]] void refuse(const std::string& what) {
  throw IntrinsicProblem(what);
}

const char* kOrdinals[] = {"first", "second", "third"};

std::string nth(size_t argument) {
  return std::string("the ") + kOrdinals[argument] + " argument";
}

Json& array(IntrinsicArguments& arguments, size_t i) {
  if (!arguments.values[i].is_array()) refuse(nth(i) + " must be an array");
  return arguments.values[i];
}

Json& object(IntrinsicArguments& arguments, size_t i) {
  if (!arguments.values[i].is_object()) refuse(nth(i) + " must be an object");
  return arguments.values[i];
}

const std::string& text(const IntrinsicArguments& arguments, size_t i) {
  if (!arguments.values[i].is_string()) refuse(nth(i) + " must be a string");
  return arguments.values[i].get_ref<const std::string&>();
}

const std::string& short_text(const IntrinsicArguments& arguments, size_t i) {
  const std::string& result = text(arguments, i);
  if (count_characters(result) > kMostCharacters) {
    refuse(nth(i) + " must not be longer than " + std::to_string(kMostCharacters) + " characters");
  }
  return result;
}

// Rounded as Math.round() of Java does: a half goes up, also below zero.
int64_t rounded(const IntrinsicArguments& arguments, size_t i) {
  const Json& value = arguments.values[i];
  if (value.is_number_integer()) return value.get<int64_t>();
  if (!value.is_number()) refuse(nth(i) + " must be a number");
  const double number = value.get<double>();
  const double below = std::floor(number);
  const double result = number - below >= 0.5 ? below + 1 : below;
  if (!(std::abs(result) < 9.2e18)) refuse(nth(i) + " is too large a number");
  return static_cast<int64_t>(result);
}

Json make_array(IntrinsicArguments& arguments) {
  return Json(std::move(arguments.values));
}

Json array_partition(IntrinsicArguments& arguments) {
  Json& values = array(arguments, 0);
  const int64_t size = rounded(arguments, 1);
  if (size <= 0) refuse("the second argument must be greater than zero");
  Json result = Json::array();
  for (size_t i = 0; i < values.size(); ++i) {
    if (i % static_cast<size_t>(size) == 0) result.push_back(Json::array());
    result.back().push_back(std::move(values[i]));
  }
  return result;
}

Json array_contains(IntrinsicArguments& arguments) {
  const Json& values = array(arguments, 0);
  return std::find(values.begin(), values.end(), arguments.values[1]) != values.end();
}

Json array_range(IntrinsicArguments& arguments) {
  const __int128 first = rounded(arguments, 0);
  const __int128 last = rounded(arguments, 1);
  const __int128 step = rounded(arguments, 2);
  if (step == 0) refuse("the third argument must not be zero");
  const bool is_empty = step > 0 ? first > last : first < last;
  if (is_empty) return Json::array();
  if ((last - first) / step >= static_cast<__int128>(kLongestRange)) {
    refuse("a range must not have more than " + std::to_string(kLongestRange) + " elements");
  }
  Json result = Json::array();
  for (__int128 value = first; step > 0 ? value <= last : value >= last; value += step) {
    result.push_back(static_cast<int64_t>(value));
  }
  return result;
}

Json array_get_item(IntrinsicArguments& arguments) {
  Json& values = array(arguments, 0);
  const Json& index = arguments.values[1];
  if (!index.is_number() || index != rounded(arguments, 1)) refuse("the second argument must be a whole number");
  const int64_t place = rounded(arguments, 1);
  if (place < 0 || place >= static_cast<int64_t>(values.size())) {
    refuse("the index " + std::to_string(place) + " is beyond the array, which has " + std::to_string(values.size()) +
           " elements");
  }
  return std::move(values[static_cast<size_t>(place)]);
}

Json array_length(IntrinsicArguments& arguments) {
  return static_cast<int64_t>(array(arguments, 0).size());
}

// Of equal elements the first stays.
Json array_unique(IntrinsicArguments& arguments) {
  const auto less = [](const Json* a, const Json* b) { return *a < *b; };
  std::set<const Json*, decltype(less)> seen(less);
  Json result = Json::array();
  for (const Json& value : array(arguments, 0)) {
    if (seen.insert(&value).second) result.push_back(value);
  }
  return result;
}

Json base64_encode(IntrinsicArguments& arguments) {
  return encode_base64(short_text(arguments, 0));
}

Json base64_decode(IntrinsicArguments& arguments) {
  const std::optional<std::string> decoded = decode_base64(short_text(arguments, 0));
  if (!decoded) refuse("the first argument is not Base64");
  if (!is_utf8(*decoded)) refuse("what the first argument encodes is not UTF-8");
  return *decoded;
}

Json hash_of(IntrinsicArguments& arguments) {
  const std::optional<std::string> result = digest(text(arguments, 1), short_text(arguments, 0));
  if (!result) refuse("the second argument must be MD5, SHA-1, SHA-256, SHA-384 or SHA-512");
  return *result;
}

Json json_merge(IntrinsicArguments& arguments) {
  Json& result = object(arguments, 0);
  Json& other = object(arguments, 1);
  if (!arguments.values[2].is_boolean()) refuse("the third argument must be a boolean");
  if (arguments.values[2].get<bool>()) refuse("the third argument must be false: deep merging is not supported");
  for (const auto& [key, value] : other.items()) result[key] = std::move(value);
  return std::move(result);
}

Json string_to_json(IntrinsicArguments& arguments) {
  const std::string& source = text(arguments, 0);
  if (source.find_first_not_of(" \t\r\n") == std::string::npos) return nullptr;
  std::optional<Json> result = parse_json(source);
  if (!result) refuse("the first argument is not JSON");
  return *std::move(result);
}

Json json_to_string(IntrinsicArguments& arguments) {
  return java_json(arguments.values[0]);
}

// From `low` to `high` - 1, each as likely as the others.
int64_t draw(int64_t low, int64_t high, const std::function<uint64_t()>& next) {
  const uint64_t range = static_cast<uint64_t>(high) - static_cast<uint64_t>(low);
  const uint64_t limit = std::numeric_limits<uint64_t>::max() - std::numeric_limits<uint64_t>::max() % range;
  uint64_t bits = next();
  while (bits >= limit) bits = next();
  return static_cast<int64_t>(static_cast<uint64_t>(low) + bits % range);
}

// With a seed, always the same number (not the one that the service draws).
Json math_random(IntrinsicArguments& arguments) {
  const int64_t low = rounded(arguments, 0);
  const int64_t high = rounded(arguments, 1);
  if (low >= high) refuse("the second argument must be greater than the first");
  if (arguments.values.size() == 2) return draw(low, high, [&] { return arguments.entropy.next(); });
  auto state = static_cast<uint64_t>(rounded(arguments, 2));
  return draw(low, high, [&] {  // SplitMix64
    uint64_t bits = state += 0x9e3779b97f4a7c15;
    bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9;
    bits = (bits ^ bits >> 27) * 0x94d049bb133111eb;
    return bits ^ bits >> 31;
  });
}

Json math_add(IntrinsicArguments& arguments) {
  int64_t sum = 0;
  if (__builtin_add_overflow(rounded(arguments, 0), rounded(arguments, 1), &sum))
    refuse("the sum is too large a number");
  return sum;
}

// Any character of the second argument ends a part; empty parts are left out.
Json string_split(IntrinsicArguments& arguments) {
  std::set<uint32_t> delimiters;
  for (std::string_view rest = text(arguments, 1); !rest.empty();) delimiters.insert(take_character(&rest));
  Json result = Json::array();
  std::string_view rest = text(arguments, 0);
  const char* begin = rest.data();
  const auto end_part = [&](const char* end) {
    if (end > begin) result.push_back(std::string(begin, end));
  };
  while (!rest.empty()) {
    const char* at = rest.data();
    if (!delimiters.contains(take_character(&rest))) continue;
    end_part(at);
    begin = rest.data();
  }
  end_part(rest.data());
  return result;
}

Json uuid(IntrinsicArguments& arguments) {
  const uint64_t high = (arguments.entropy.next() & ~uint64_t{0xF000}) | 0x4000;              // version 4
  const uint64_t low = (arguments.entropy.next() & (~uint64_t{0} >> 2)) | uint64_t{1} << 63;  // variant of RFC 4122
  char buffer[40];
  const int length = snprintf(buffer, sizeof buffer, "%08x-%04x-%04x-%04x-%012llx", static_cast<uint32_t>(high >> 32),
                              static_cast<uint32_t>(high >> 16 & 0xFFFF), static_cast<uint32_t>(high & 0xFFFF),
                              static_cast<uint32_t>(low >> 48), static_cast<unsigned long long>(low & 0xFFFFFFFFFFFF));
  return std::string(buffer, static_cast<size_t>(length));
}

// The parts of a format between its places for arguments.
std::vector<std::string> parts_of_format(std::string_view format) {
  std::vector<std::string> parts(1);
  for (size_t i = 0; i < format.size(); ++i) {
    const bool escapes = format[i] == '\\' && i + 1 < format.size() &&
                         std::string_view("'{}\\").find(format[i + 1]) != std::string_view::npos;
    if (escapes) {
      parts.back() += format[++i];
    } else if (format.substr(i, 2) == "{}") {
      parts.emplace_back();
      ++i;
    } else {
      parts.back() += format[i];
    }
  }
  return parts;
}

Json format(IntrinsicArguments& arguments) {
  const std::string& written = arguments.written_format != nullptr ? *arguments.written_format : text(arguments, 0);
  const std::vector<std::string> parts = parts_of_format(written);
  if (parts.size() != arguments.values.size()) {
    refuse("the format has " + std::to_string(parts.size() - 1) + " places {} for " +
           std::to_string(arguments.values.size() - 1) + " arguments");
  }
  std::string result = parts[0];
  for (size_t i = 1; i < parts.size(); ++i) result += java_text(arguments.values[i]) + parts[i];
  return result;
}

constexpr std::array<IntrinsicSignature, 18> kSignatures = {{{"States.Array", 0, SIZE_MAX, make_array},
                                                             {"States.ArrayContains", 2, 2, array_contains},
                                                             {"States.ArrayGetItem", 2, 2, array_get_item},
                                                             {"States.ArrayLength", 1, 1, array_length},
                                                             {"States.ArrayPartition", 2, 2, array_partition},
                                                             {"States.ArrayRange", 3, 3, array_range},
                                                             {"States.ArrayUnique", 1, 1, array_unique},
                                                             {"States.Base64Decode", 1, 1, base64_decode},
                                                             {"States.Base64Encode", 1, 1, base64_encode},
                                                             {"States.Format", 1, SIZE_MAX, format},
                                                             {"States.Hash", 2, 2, hash_of},
                                                             {"States.JsonMerge", 3, 3, json_merge},
                                                             {"States.JsonToString", 1, 1, json_to_string},
                                                             {"States.MathAdd", 2, 2, math_add},
                                                             {"States.MathRandom", 2, 3, math_random},
                                                             {"States.StringSplit", 2, 2, string_split},
                                                             {"States.StringToJson", 1, 1, string_to_json},
                                                             {"States.UUID", 0, 0, uuid}}};

}  // namespace

const IntrinsicSignature* find_intrinsic(std::string_view name) {
  const auto* found = std::find_if(kSignatures.begin(), kSignatures.end(),
                                   [&](const auto& signature) { return signature.name == name; });
  return found == kSignatures.end() ? nullptr : found;
}

}  // namespace etl::states
