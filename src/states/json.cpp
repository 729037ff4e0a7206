#include "states/fence.h"

#include "states/json.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace etl::states {
namespace {

// Builds the value as the library's parser, which keeps its own stack, tells of its parts.
class Builder : public nlohmann::json_sax<Json> {
 public:
  Json take() { return std::move(root_); }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(int64_t value) override { return add(value); }
  bool number_unsigned(uint64_t value) override {
    // The library compares unsigned with signed numbers by a cast, which would make 2^64 - 1 equal to -1.
    if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return add(static_cast<double>(value));
    return add(static_cast<int64_t>(value));
  }
  bool number_float(double value, const std::string&) override { return add(value); }
  bool string(std::string& value) override { return add(std::move(value)); }
  bool binary(Json::binary_t&) override { return false; }
  bool start_object(size_t) override { return open(Json::object()); }
  bool start_array(size_t) override { return open(Json::array()); }
  bool key(std::string& value) override {
    key_ = std::move(value);
    return true;
  }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  Json* place(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Json& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    Json& member = parent[key_];
    member = std::move(value);
    return &member;
  }

  bool add(Json value) {
    place(std::move(value));
    return true;
  }

  bool open(Json value) {
    if (open_.size() == kDeepestJson) return false;
    open_.push_back(place(std::move(value)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  Json root_;
  std::vector<Json*> open_;
  std::string key_;
};

size_t size_of_text(const std::string& text) {
  size_t size = text.size() + 2;
  for (const unsigned char character : text) {
    if (character == '"' || character == '\\') {
      ++size;
    } else if (character < 0x20) {
      const bool has_short_form =
          character == '\b' || character == '\f' || character == '\n' || character == '\r' || character == '\t';
      size += has_short_form ? 1 : 5;
    }
  }
  return size;
}

size_t size_of_integer(int64_t value) {
  size_t size = value < 0 ? 2 : 1;
  for (; value / 10 != 0; value /= 10) ++size;
  return size;
}

// Of a value without what is in it: of an array, its brackets and commas.
size_t size_of_shell(const Json& value) {
  switch (value.type()) {
    case Json::value_t::object: {
      size_t size = 2 + (value.empty() ? 0 : value.size() - 1);
      for (const auto& [key, member] : value.get_ref<const Json::object_t&>()) size += size_of_text(key) + 1;
      return size;
    }
    case Json::value_t::array:
      return 2 + (value.empty() ? 0 : value.size() - 1);
    case Json::value_t::string:
      return size_of_text(value.get_ref<const std::string&>());
    case Json::value_t::boolean:
      return value.get<bool>() ? 4 : 5;
    case Json::value_t::number_integer:
      return size_of_integer(value.get<int64_t>());
    case Json::value_t::null:
      return 4;
    default:
      return value.dump().size();
  }
}

}  // namespace

std::optional<Json> parse_json(std::string_view text) {
  // The library would skip a byte order mark, which is no part of JSON.
  if (text.substr(0, 3) == "\xEF\xBB\xBF") return std::nullopt;
  Builder builder;
  if (!Json::sax_parse(text.begin(), text.end(), &builder)) return std::nullopt;
  return builder.take();
}

std::string compact(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string shown(const Json& value) {
  constexpr size_t kMostBytes = 10'000;
  std::string text = compact(value);
  if (text.size() <= kMostBytes) return text;
  size_t end = kMostBytes;
  while ((static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not within a character
  return text.substr(0, end) + "...";
}

size_t size_in_bytes(const Json& value) {
  return extent(value).bytes;
}

Extent extent(const Json& value) {
  struct Pending {
    const Json* value;
    int depth;  // of what is around it
  };
  Extent result;
  std::vector<Pending> pending{{&value, 0}};
  while (!pending.empty()) {
    const auto [next, depth] = pending.back();
    pending.pop_back();
    result.bytes += size_of_shell(*next);
    if (!next->is_structured()) continue;
    result.depth = std::max(result.depth, depth + 1);
    for (const Json& part : *next) pending.push_back({&part, depth + 1});
  }
  return result;
}

}  // namespace etl::states
