#include "states/fence.h"

#include "states/path_parser.h"
#include "states/utf8.h"

namespace etl::states {

Json PathParser::parse_literal() {
  switch (cursor_.peek()) {
    case '[':
      return parse_array();
    case '{':
      return parse_object();
    case '\'':
    case '"':
      return parse_quoted();
    default:
      return parse_number_or_word();
  }
}

Json PathParser::parse_array() {
  enter();
  expect('[');
  Json result = Json::array();
  cursor_.skip_blanks();
  while (cursor_.peek() != ']') {
    result.push_back(parse_literal());
    cursor_.skip_blanks();
    if (cursor_.peek() == ']') break;
    expect(',');
    cursor_.skip_blanks();
  }
  expect(']');
  leave();
  return result;
}

Json PathParser::parse_object() {
  enter();
  expect('{');
  Json result = Json::object();
  cursor_.skip_blanks();
  while (cursor_.peek() != '}') {
    if (cursor_.peek() != '\'' && cursor_.peek() != '"') fail("expected a name in quotes");
    const std::string name = parse_quoted();
    expect_after_blanks(':');
    cursor_.skip_blanks();
    result[name] = parse_literal();
    cursor_.skip_blanks();
    if (cursor_.peek() == '}') break;
    expect(',');
    cursor_.skip_blanks();
  }
  expect('}');
  leave();
  return result;
}

Json PathParser::parse_number_or_word() {
  const size_t begin = cursor_.at;
  const auto belongs = [](char c) {
    return Cursor::is_letter(c) || Cursor::is_digit(c) || c == '-' || c == '+' || c == '.';
  };
  while (belongs(cursor_.peek())) ++cursor_.at;
  std::optional<Json> value = parse_json(cursor_.since(begin));
  if (!value) {
    cursor_.at = begin;
    fail("expected a path, a text in quotes, a number, true, false, null, an array or an object");
  }
  return *std::move(value);
}

std::string PathParser::parse_quoted() {
  const char quote = cursor_.take();
  std::string result;
  while (cursor_.peek() != quote) {
    if (cursor_.at_end()) fail("a text in quotes is not closed");
    if (cursor_.accept("\\")) {
      parse_escape(&result);
    } else {
      result += cursor_.take();
    }
  }
  expect(quote);
  return result;
}

void PathParser::parse_escape(std::string* result) {
  if (cursor_.at_end()) fail("nothing follows a backslash");
  switch (const char c = cursor_.take()) {
    case 'b':
      *result += '\b';
      break;
    case 'f':
      *result += '\f';
      break;
    case 'n':
      *result += '\n';
      break;
    case 'r':
      *result += '\r';
      break;
    case 't':
      *result += '\t';
      break;
    case 'u': {
      uint32_t character = parse_hex();
      if (character >= 0xD800 && character < 0xDC00 && cursor_.accept("\\u")) {
        const uint32_t low = parse_hex();
        if (low < 0xDC00 || low > 0xDFFF) fail("half a surrogate pair");
        character = 0x10000 + ((character - 0xD800) << 10) + (low - 0xDC00);
      }
      if (character >= 0xD800 && character <= 0xDFFF) fail("half a surrogate pair");
      append_utf8(result, character);
      break;
    }
    default:
      *result += c;
  }
}

uint32_t PathParser::parse_hex() {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = cursor_.peek();
    if (Cursor::is_digit(c)) {
      value = value * 16 + static_cast<uint32_t>(c - '0');
    } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
      value = value * 16 + static_cast<uint32_t>((c | 0x20) - 'a' + 10);
    } else {
      fail("expected four hexadecimal digits");
    }
    ++cursor_.at;
  }
  return value;
}

}  // namespace etl::states
