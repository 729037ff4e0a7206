#include "states/script_values.h"

#include <cmath>

#include "states/duktape_options.h"

#include <duktape.h>

namespace etl::states {
namespace {

constexpr double kLargestInteger = 0x1p63;
constexpr int kSlotsOfLevel = 4;  // of the interpreter's stack, for one object or array within another

bool is_plain_ascii(std::string_view text) {
  for (const char c : text) {
    if (static_cast<signed char>(c) < 0) return false;
  }
  return true;
}

void append_unit(std::string& text, uint32_t unit) {
  text += static_cast<char>(0xe0 | unit >> 12);
  text += static_cast<char>(0x80 | (unit >> 6 & 0x3f));
  text += static_cast<char>(0x80 | (unit & 0x3f));
}

bool continues(std::string_view text, size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
}

// Length of the character that begins at `at`, in UTF-8 or in Duktape's form of it with half pairs; 0 if there is none.
size_t length_of(std::string_view text, size_t at) {
  const unsigned char c = text[at];
  if (c < 0x80) return 1;
  const size_t length = c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
  for (size_t i = 1; i < length; ++i) {
    if (!continues(text, at + i)) return 0;
  }
  return length;
}

uint32_t decode(std::string_view text, size_t at, size_t length) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(text[at + i])); };
  switch (length) {
    case 1:
      return byte(0);
    case 2:
      return (byte(0) & 0x1f) << 6 | (byte(1) & 0x3f);
    case 3:
      return (byte(0) & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f);
    default:
      return (byte(0) & 0x07) << 18 | (byte(1) & 0x3f) << 12 | (byte(2) & 0x3f) << 6 | (byte(3) & 0x3f);
  }
}

constexpr const char* kReplacement = "\xef\xbf\xbd";

bool is_high_half(uint32_t code) {
  return code >= 0xd800 && code < 0xdc00;
}
bool is_low_half(uint32_t code) {
  return code >= 0xdc00 && code < 0xe000;
}

// UTF-8 with each character beyond the basic plane as the two halves of its pair.
std::string to_units(std::string_view text) {
  std::string units;
  units.reserve(text.size() + text.size() / 2);
  for (size_t at = 0; at < text.size();) {
    const size_t length = length_of(text, at);
    const uint32_t code = length > 0 ? decode(text, at, length) : 0;
    if (length == 0 || is_high_half(code) || is_low_half(code) || code > 0x10ffff) {
      units += kReplacement;
    } else if (code > 0xffff) {
      append_unit(units, 0xd800 + ((code - 0x10000) >> 10));
      append_unit(units, 0xdc00 + (code & 0x3ff));
    } else {
      units.append(text, at, length);
    }
    at += length > 0 ? length : 1;
  }
  return units;
}

void append_pair(std::string& text, uint32_t high, uint32_t low) {
  const uint32_t code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
  text += static_cast<char>(0xf0 | code >> 18);
  text += static_cast<char>(0x80 | (code >> 12 & 0x3f));
  text += static_cast<char>(0x80 | (code >> 6 & 0x3f));
  text += static_cast<char>(0x80 | (code & 0x3f));
}

std::string to_utf8(std::string_view units) {
  std::string text;
  text.reserve(units.size());
  for (size_t at = 0; at < units.size();) {
    const size_t length = length_of(units, at);
    const uint32_t code = length > 0 ? decode(units, at, length) : 0;
    const size_t next = at + (length > 0 ? length : 1);
    const size_t next_length = is_high_half(code) && next < units.size() ? length_of(units, next) : 0;
    const uint32_t low = next_length == 3 ? decode(units, next, 3) : 0;
    at = next;
    if (is_low_half(low)) {
      append_pair(text, code, low);
      at += next_length;
    } else if (length == 0 || is_high_half(code) || is_low_half(code)) {
      text += kReplacement;
    } else {
      text.append(units, at - length, length);
    }
  }
  return text;
}

// A text that must be rewritten belongs to a buffer of the interpreter, since pushing it may leave by longjmp.
void push_rewritten(duk_context* context, std::string_view text) {
  size_t size = 0;
  char* buffer = nullptr;
  {
    thread_local std::string units;  // outlives a longjmp
    units = to_units(text);
    size = units.size();
    buffer = units.data();
  }
  duk_push_lstring(context, buffer, size);
}

void push_members(duk_context* context, const Json& value) {
  duk_push_object(context);
  for (auto member = value.begin(); member != value.end(); ++member) {
    push_text(context, member.key());
    push_json(context, member.value());
    duk_put_prop(context, -3);
  }
}

void push_items(duk_context* context, const Json& value) {
  duk_push_array(context);
  duk_uarridx_t index = 0;
  for (const Json& item : value) {
    push_json(context, item);
    duk_put_prop_index(context, -2, index++);
  }
}

// Reads values and counts what they take. A member so that it needs no destructor on the way: the interpreter may leave
// by longjmp at any call.
class Taker {
 public:
  Taker(duk_context* context, size_t most) : context_(context), left_(most) {}

  Taken take(Json& target, int depth) {
    if (!spend(2)) return Taken::kTooLarge;
    switch (duk_get_type(context_, -1)) {
      case DUK_TYPE_NULL:
        target = nullptr;
        return Taken::kValue;
      case DUK_TYPE_BOOLEAN:
        target = duk_get_boolean(context_, -1) != 0;
        return Taken::kValue;
      case DUK_TYPE_NUMBER:
        return take_number(target);
      case DUK_TYPE_STRING:
        return take_string(target);
      case DUK_TYPE_OBJECT:
        return take_object(target, depth);
      case DUK_TYPE_UNDEFINED:
        return Taken::kUndefined;
      default:
        return Taken::kUnsupported;
    }
  }

 private:
  bool spend(size_t bytes) {
    if (bytes > left_) return false;
    left_ -= bytes;
    return true;
  }

  Taken take_number(Json& target) {
    const double number = duk_get_number(context_, -1);
    if (!std::isfinite(number)) return Taken::kNotFinite;
    if (number == std::trunc(number) && std::abs(number) < kLargestInteger) {
      target = static_cast<int64_t>(number);
    } else {
      target = number;
    }
    return Taken::kValue;
  }

  Taken take_string(Json& target) {
    duk_size_t size = 0;
    duk_get_lstring(context_, -1, &size);
    if (duk_is_symbol(context_, -1)) return Taken::kUnsupported;
    if (!spend(size)) return Taken::kTooLarge;
    target = take_text(context_, -1);
    return Taken::kValue;
  }

  Taken take_object(Json& target, int depth) {
    if (duk_is_function(context_, -1) || is_marked("_jsonata_lambda") || is_marked("_jsonata_function")) {
      return Taken::kUnsupported;
    }
    if (depth >= kDeepestJson) return Taken::kTooDeep;
    duk_require_stack(context_, kSlotsOfLevel);
    return duk_is_array(context_, -1) ? take_items(target, depth) : take_members(target, depth);
  }

  // JSONata's functions are objects with a mark.
  bool is_marked(const char* mark) {
    duk_get_prop_string(context_, -1, mark);
    const bool marked = duk_is_boolean(context_, -1) && duk_get_boolean(context_, -1);
    duk_pop(context_);
    return marked;
  }

  Taken take_items(Json& target, int depth) {
    target = Json::array();
    const duk_size_t count = duk_get_length(context_, -1);
    for (duk_size_t i = 0; i < count; ++i) {
      duk_get_prop_index(context_, -1, static_cast<duk_uarridx_t>(i));
      target.push_back(nullptr);
      const Taken taken = take(target.back(), depth + 1);
      if (taken != Taken::kValue && taken != Taken::kUndefined) return taken;
      duk_pop(context_);
    }
    return Taken::kValue;
  }

  Taken take_members(Json& target, int depth) {
    target = Json::object();
    duk_enum(context_, -1, DUK_ENUM_OWN_PROPERTIES_ONLY);
    while (duk_next(context_, -1, 1)) {
      duk_size_t size = 0;
      duk_get_lstring(context_, -2, &size);
      if (!spend(size)) return Taken::kTooLarge;
      const Taken taken = take_member(target, depth);
      if (taken != Taken::kValue && taken != Taken::kUndefined) return taken;
      duk_pop_2(context_);
    }
    duk_pop(context_);
    return Taken::kValue;
  }

  // The stack ends with the member's name and value.
  Taken take_member(Json& target, int depth) {
    if (duk_is_undefined(context_, -1)) return Taken::kUndefined;
    Json& member = target[take_text(context_, -2)];
    return take(member, depth + 1);
  }

  duk_context* const context_;
  size_t left_;
};

}  // namespace

void push_text(duk_hthread* context, std::string_view text) {
  if (is_plain_ascii(text)) {
    duk_push_lstring(context, text.data(), text.size());
  } else {
    push_rewritten(context, text);
  }
}

void push_json(duk_hthread* context, const Json& value) {
  duk_require_stack(context, kSlotsOfLevel);
  switch (value.type()) {
    case Json::value_t::boolean:
      duk_push_boolean(context, value.get<bool>());
      break;
    case Json::value_t::number_integer:
      duk_push_number(context, static_cast<double>(value.get<int64_t>()));
      break;
    case Json::value_t::number_unsigned:
      duk_push_number(context, static_cast<double>(value.get<uint64_t>()));
      break;
    case Json::value_t::number_float:
      duk_push_number(context, value.get<double>());
      break;
    case Json::value_t::string:
      push_text(context, value.get_ref<const std::string&>());
      break;
    case Json::value_t::object:
      push_members(context, value);
      break;
    case Json::value_t::array:
      push_items(context, value);
      break;
    default:
      duk_push_null(context);
  }
}

Taken take_json(duk_hthread* context, Json& target, size_t most) {
  return Taker(context, most).take(target, 0);
}

std::string take_text(duk_hthread* context, int index) {
  duk_size_t size = 0;
  const char* text = duk_get_lstring(context, index, &size);
  const std::string_view view(text ? text : "", size);
  return is_plain_ascii(view) ? std::string(view) : to_utf8(view);
}

}  // namespace etl::states
