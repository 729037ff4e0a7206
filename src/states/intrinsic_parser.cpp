#include "states/fence.h"

#include "states/cursor.h"
#include "states/intrinsic_call.h"
#include "states/path_syntax.h"
#include "states/utf8.h"

namespace etl::states {
namespace {

constexpr int kDeepestNesting = 10;

class IntrinsicParser {
 public:
  explicit IntrinsicParser(std::string_view text) : cursor_{text} {}

  std::shared_ptr<const IntrinsicCall> parse_whole() {
    if (cursor_.text.size() > Path::kLongestText) fail("too long");
    if (!is_utf8(cursor_.text)) throw IntrinsicSyntaxError("an intrinsic function is no UTF-8");
    std::shared_ptr<const IntrinsicCall> call = parse_call();
    cursor_.skip_blanks();
    if (!cursor_.at_end()) fail("something follows the function");
    return call;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    constexpr size_t kMostShown = 200;
    std::string shown(cursor_.text.substr(0, kMostShown));
    if (cursor_.text.size() > kMostShown) shown += "...";
    throw IntrinsicSyntaxError("invalid intrinsic function \"" + shown + "\" at offset " + std::to_string(cursor_.at) +
                               ": " + what);
  }

  std::shared_ptr<const IntrinsicCall> parse_call() {
    if (++depth_ > kDeepestNesting) fail("functions are nested more than " + std::to_string(kDeepestNesting) + " deep");
    const size_t begin = cursor_.at;
    while (Cursor::is_letter(cursor_.peek()) || Cursor::is_digit(cursor_.peek()) || cursor_.peek() == '.') ++cursor_.at;
    const std::string name(cursor_.since(begin));
    const IntrinsicSignature* signature = find_intrinsic(name);
    if (signature == nullptr) {
      cursor_.at = begin;
      fail(name.empty() ? "expected a function" : "there is no function \"" + name + "\"");
    }
    auto call = std::make_shared<IntrinsicCall>();
    call->function = signature->function;
    parse_arguments(&call->arguments);
    check_count(*signature, call->arguments.size());
    --depth_;
    return call;
  }

  void parse_arguments(std::vector<IntrinsicArgument>* arguments) {
    cursor_.skip_blanks();
    if (!cursor_.accept("(")) fail("expected \"(\"");
    cursor_.skip_blanks();
    if (cursor_.accept(")")) return;
    while (true) {
      cursor_.skip_blanks();
      arguments->push_back(parse_argument());
      cursor_.skip_blanks();
      if (cursor_.accept(")")) return;
      if (!cursor_.accept(",")) fail("expected \",\" or \")\"");
    }
  }

  void check_count(const IntrinsicSignature& signature, size_t count) const {
    if (count >= signature.fewest && count <= signature.most) return;
    const std::string wanted = signature.fewest == signature.most ? std::to_string(signature.fewest)
                               : signature.most == SIZE_MAX
                                   ? std::to_string(signature.fewest) + " or more"
                                   : std::to_string(signature.fewest) + " to " + std::to_string(signature.most);
    fail(std::string(signature.name) + " takes " + wanted + " arguments, not " + std::to_string(count));
  }

  IntrinsicArgument parse_argument() {
    if (cursor_.peek() == '\'') return parse_quoted();
    if (cursor_.peek() == '$') return parse_path();
    if (Intrinsic::looks_like_one(cursor_.rest())) return parse_call();
    return parse_literal();
  }

  // A number, true, false, null.
  IntrinsicArgument parse_literal() {
    const size_t begin = cursor_.at;
    while (!cursor_.at_end() && cursor_.peek() != ',' && cursor_.peek() != ')' && !Cursor::is_blank(cursor_.peek())) {
      ++cursor_.at;
    }
    std::optional<Json> value = parse_json(cursor_.since(begin));
    if (!value || value->is_structured() || value->is_string()) {
      cursor_.at = begin;
      fail("expected a path, a text in single quotes, a number, true, false, null or a function");
    }
    return *std::move(value);
  }

  IntrinsicArgument parse_quoted() {
    cursor_.take();
    const size_t begin = cursor_.at;
    std::string value;
    while (cursor_.peek() != '\'') {
      if (cursor_.at_end()) fail("a text is not closed by a single quote");
      if (cursor_.accept("\\")) {
        if (std::string_view("'{}\\").find(cursor_.peek()) == std::string_view::npos || cursor_.at_end()) {
          fail("a backslash stands only before one of ' { } \\");
        }
      }
      value += cursor_.take();
    }
    QuotedText text{std::move(value), std::string(cursor_.since(begin))};
    cursor_.take();
    return text;
  }

  IntrinsicArgument parse_path() {
    const std::string_view text = cursor_.rest().substr(0, length_of_path(cursor_.rest(), ",)"));
    cursor_.at += text.size();
    return Path::parse(text);
  }

  Cursor cursor_;
  int depth_ = 0;
};

}  // namespace

std::shared_ptr<const IntrinsicCall> parse_intrinsic(std::string_view text) {
  return IntrinsicParser(text).parse_whole();
}

}  // namespace etl::states
