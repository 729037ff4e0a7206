// Values with expressions in them.
#include "states/jsonata.h"

namespace etl::states {
namespace {

constexpr std::string_view kBlanks = " \t\n\r";

std::string trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin));
}

class Filler {
 public:
  Filler(JsonataEngine& engine, const Json& states, const Json& variables, Entropy& entropy)
      : engine_(engine), states_(states), variables_(variables), entropy_(entropy) {}

  // Recursion: a definition is no deeper than kDeepestJson.
  Json fill(const Json& source, const std::string& field) {
    if (source.is_string()) return fill_text(source.get_ref<const std::string&>(), field);
    if (!source.is_structured()) return source;
    Json filled = source.is_array() ? Json::array() : Json::object();
    size_t index = 0;
    for (auto part = source.begin(); part != source.end(); ++part) {
      if (source.is_array()) {
        filled.push_back(fill(*part, field + "/" + std::to_string(index++)));
      } else {
        filled[part.key()] = fill(*part, field + "/" + part.key());
      }
    }
    return filled;
  }

 private:
  Json fill_text(const std::string& text, const std::string& field) {
    const auto expression = jsonata_expression(text);
    return expression ? value_of(*expression, field) : Json(text);
  }

  Json value_of(const std::string& expression, const std::string& field) {
    const auto fail = [&](const std::string& problem) {
      return StateError(
          errors::kQueryEvaluationError,
          "The JSONata expression '" + expression + "' specified for the field '" + field + "' " + problem, field);
    };
    try {
      JsonataResult result = engine_.evaluate(expression, states_, variables_, entropy_);
      if (result.kind == JsonataResult::Kind::kUndefined) throw fail("returned nothing (undefined).");
      if (result.kind == JsonataResult::Kind::kUnsupported) throw fail("returned an unsupported result type.");
      return std::move(result.value);
    } catch (const JsonataError& error) {
      const std::string code = error.code().empty() ? "" : error.code() + ": ";
      throw fail("threw an error during evaluation. " + code + error.what());
    }
  }

  JsonataEngine& engine_;
  const Json& states_;
  const Json& variables_;
  Entropy& entropy_;
};

}  // namespace

std::optional<std::string> jsonata_expression(const std::string& text) {
  if (text.size() < 4 || !text.starts_with("{%") || !text.ends_with("%}")) return std::nullopt;
  return trimmed(std::string_view(text).substr(2, text.size() - 4));
}

Json evaluate_jsonata(JsonataEngine& engine, const Json& source, const std::string& field, const Json& states,
                      const Json& variables, Entropy& entropy) {
  return Filler(engine, states, variables, entropy).fill(source, field);
}

}  // namespace etl::states
