#include "mutator.h"

#include <algorithm>

namespace etl::states {
namespace {

constexpr size_t kLongestText = 20'000;
constexpr size_t kLongestPiece = 40;

const char* const kWords[] = {"$",
                              "$$",
                              "@",
                              ".",
                              "..",
                              "[",
                              "]",
                              "(",
                              ")",
                              "'",
                              "\"",
                              "\\",
                              "?",
                              "*",
                              ":",
                              ",",
                              "-",
                              "!",
                              "&&",
                              "||",
                              "==",
                              "===",
                              "!=",
                              "<=",
                              ">",
                              "=~",
                              " in ",
                              " nin ",
                              " anyof ",
                              " subsetof ",
                              " size ",
                              " empty ",
                              " contains ",
                              "/a*/i",
                              "/(a|b)+/",
                              "[?(@.a)]",
                              "[*]",
                              "[1:3]",
                              "[-1]",
                              "[0,1]",
                              "['a']",
                              ".length()",
                              ".sum()",
                              ".keys()",
                              ".append(1)",
                              ".concat()",
                              "true",
                              "null",
                              "{}",
                              "{",
                              "}",
                              "0",
                              "1e308",
                              "-0.0",
                              "9223372036854775807",
                              "-9223372036854775808",
                              "\\u0000",
                              "\\ud800",
                              "\xC3\xA9",
                              "\xFF",
                              "\xF0\x9F\x98\x80",
                              "States.",
                              "States.Format('{}', $.a)",
                              "States.Array($)",
                              "States.MathAdd(",
                              "States.JsonToString($)",
                              "States.StringToJson(",
                              "States.ArrayRange(1,9,2)",
                              "States.UUID()",
                              ".$\":\"$"};

}  // namespace

std::string Mutator::mutate(const std::vector<std::string>& corpus) {
  std::string text = corpus[below(corpus.size())];
  for (size_t changes = below(6); changes > 0; --changes) change(&text, corpus);
  if (text.size() > kLongestText) text.resize(kLongestText);
  return text;
}

void Mutator::change(std::string* text, const std::vector<std::string>& corpus) {
  const size_t at = place_in(*text);
  switch (below(7)) {
    case 0:
      if (at < text->size()) (*text)[at] = static_cast<char>((*text)[at] ^ 1 << below(8));
      break;
    case 1:
      text->erase(at, 1 + below(kLongestPiece));
      break;
    case 2:
      text->insert(at, piece_of(corpus[below(corpus.size())]));
      break;
    case 3: {  // again and again
      const std::string piece = piece_of(*text);
      for (size_t times = size_t{1} << below(8); times > 0 && text->size() < kLongestText; --times)
        text->insert(at, piece);
      break;
    }
    case 4:
      text->insert(at, 1, static_cast<char>(below(256)));
      break;
    case 5: {
      const std::string piece = piece_of(corpus[below(corpus.size())]);
      text->replace(at, piece.size(), piece);
      break;
    }
    default:
      text->insert(at, kWords[below(std::size(kWords))]);
  }
}

std::string Mutator::piece_of(const std::string& text) {
  return text.substr(place_in(text), 1 + below(kLongestPiece));
}

}  // namespace etl::states
