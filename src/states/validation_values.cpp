#include <cmath>

#include "states/jsonata.h"
#include "states/validation.h"

namespace etl::states::validation {
namespace {

std::string name_at(const Place& place) {
  return place.key().empty() ? "it" : in_quotes(place.key());
}

// Whether it is a string; if not, that is found.
const std::string* text_at(Context& context, const Json& value, const Place& place, const char* what = "a string") {
  if (value.is_string()) return &value.get_ref<const std::string&>();
  context.error(place, "WRONG_TYPE", name_at(place) + " must be " + what);
  return nullptr;
}

std::optional<Path> path_at(Context& context, const Json& value, const Place& place, const char* what) {
  const std::string* text = text_at(context, value, place, what);
  if (text == nullptr) return std::nullopt;
  try {
    return Path::parse(*text);
  } catch (const PathSyntaxError& error) {
    context.error(place, "INVALID_PATH", in_quotes(*text) + " is not a path: " + error.what());
    return std::nullopt;
  }
}

void check_intrinsic(Context& context, const std::string& text, const Place& place) {
  try {
    Intrinsic::parse(text);
  } catch (const IntrinsicSyntaxError& error) {
    context.error(place, "INVALID_INTRINSIC", in_quotes(text) + " is not an intrinsic function: " + error.what());
  } catch (const PathSyntaxError& error) {
    context.error(place, "INVALID_PATH", "a path in " + in_quotes(text) + " is wrong: " + error.what());
  }
}

bool looks_like_expression(const std::string& text) {
  return text == "$" || text.starts_with("$.") || text.starts_with("$[") || text.starts_with("$$.") ||
         Intrinsic::looks_like_one(text);
}

void check_template_object(Context& context, const Json& object, const Place& place, QueryLanguage language) {
  for (const auto& [name, value] : object.items()) {
    const Place here = place / name;
    if (!name.ends_with(".$")) {
      if (value.is_string() && looks_like_expression(value.get_ref<const std::string&>())) {
        context.warn(here, "NO_DOLLAR",
                     "the value looks like a path or an intrinsic function, but is taken literally: "
                     "the name of the field does not end with .$");
      }
      check_template(context, value, here, language);
      continue;
    }
    const std::string_view plain = std::string_view(name).substr(0, name.size() - 2);
    if (object.contains(plain)) {
      context.error(
          here, "DUPLICATE_FIELD",
          "both " + in_quotes(name) + " and " + in_quotes(plain) + " would make the field " + in_quotes(plain));
    }
    check_path_or_intrinsic(context, value, here, language);
  }
}

}  // namespace

void check_anything(Context&, const Json&, const Place&, QueryLanguage) {}

void check_text(Context& context, const Json& value, const Place& place, QueryLanguage) {
  text_at(context, value, place);
}

void check_boolean(Context& context, const Json& value, const Place& place, QueryLanguage) {
  if (!value.is_boolean()) context.error(place, "WRONG_TYPE", name_at(place) + " must be true or false");
}

void check_query_language(Context& context, const Json& value, const Place& place, QueryLanguage) {
  const std::string* text = text_at(context, value, place);
  if (text == nullptr || *text == "JSONPath" || *text == "JSONata") return;
  context.error(place, "INVALID_VALUE", "the query language is JSONPath or JSONata, not " + in_quotes(*text));
}

void check_path(Context& context, const Json& value, const Place& place, QueryLanguage) {
  path_at(context, value, place, "a path");
}

void check_path_or_null(Context& context, const Json& value, const Place& place, QueryLanguage) {
  if (!value.is_null()) path_at(context, value, place, "a path or null");
}

void check_reference_path(Context& context, const Json& value, const Place& place, QueryLanguage) {
  const auto path = path_at(context, value, place, "a path");
  if (path && !path->is_reference()) {
    context.error(
        place, "INVALID_REFERENCE_PATH",
        in_quotes(path->text()) + " may lead to more than one place; a reference path has only names and indexes");
  }
}

void check_result_path(Context& context, const Json& value, const Place& place, QueryLanguage) {
  if (value.is_null()) return;
  const auto path = path_at(context, value, place, "a path or null");
  if (!path) return;
  if (!path->is_reference()) {
    context.error(
        place, "INVALID_REFERENCE_PATH",
        in_quotes(path->text()) + " may lead to more than one place; a reference path has only names and indexes");
  } else if (path->root() != Path::Root::kInput) {
    context.error(
        place, "INVALID_REFERENCE_PATH",
        "a result can be put into the state's input only; " + in_quotes(path->text()) + " does not begin with $");
  }
}

void check_path_or_intrinsic(Context& context, const Json& value, const Place& place, QueryLanguage) {
  if (value.is_string() && Intrinsic::looks_like_one(value.get_ref<const std::string&>())) {
    check_intrinsic(context, value.get_ref<const std::string&>(), place);
  } else {
    path_at(context, value, place, "a path or an intrinsic function");
  }
}

// No deeper than JSON may be.
void check_template(Context& context, const Json& value, const Place& place, QueryLanguage language) {
  if (value.is_object()) return check_template_object(context, value, place, language);
  if (!value.is_array()) return;
  for (size_t i = 0; i < value.size(); ++i) check_template(context, value[i], place / i, language);
}

void check_payload(Context& context, const Json& value, const Place& place, QueryLanguage language) {
  if (language == QueryLanguage::kJsonata) return check_expressions(context, value, place, language);
  if (value.is_object()) return check_template(context, value, place, language);
  context.error(place, "WRONG_TYPE", name_at(place) + " must be an object");
}

void check_message(Context& context, const Json& value, const Place& place, QueryLanguage language) {
  const std::string* text = text_at(context, value, place);
  if (text == nullptr) return;
  if (language == QueryLanguage::kJsonata) return check_text_with_expression(context, *text, place);
  if (looks_like_expression(*text) && !(place.key() == "Error" && text->starts_with("States."))) {
    context.warn(place, "NO_PATH",
                 "the value looks like a path or an intrinsic function, but is taken literally: use " +
                     in_quotes(std::string(place.key()) + "Path"));
  }
}

void check_resource(Context& context, const Json& value, const Place& place, QueryLanguage) {
  const std::string* resource = text_at(context, value, place);
  if (resource == nullptr) return;
  if (resource->empty() || jsonata_expression(*resource)) {
    context.error(place, "INVALID_RESOURCE", "a resource must be named, it cannot be empty or an expression");
    return;
  }
  if (context.resources == nullptr) return;
  if (const auto problem = context.resources->problem(*resource)) {
    context.error(place, "INVALID_RESOURCE", *problem);
  }
}

void check_number(Context& context, const Json& value, const Place& place, double least, double most, bool whole) {
  const std::string must = name_at(place) + (whole ? " must be an integer" : " must be a number");
  if (!value.is_number()) return context.error(place, "WRONG_TYPE", must);
  const double number = value.get<double>();
  if (whole && std::trunc(number) != number) return context.error(place, "WRONG_TYPE", must);
  if (number >= least && number <= most) return;
  const auto written = [](double bound) { return std::to_string(static_cast<int64_t>(bound)); };
  context.error(place, "OUT_OF_RANGE",
                must + (std::isinf(most) ? " of " + written(least) + " or more"
                                         : " from " + written(least) + " to " + written(most)));
}

void check_quantity(Context& context, const Json& value, const Place& place, QueryLanguage language, double least,
                    double most, bool whole) {
  if (language == QueryLanguage::kJsonata && value.is_string()) {
    const auto expression = jsonata_expression(value.get_ref<const std::string&>());
    if (expression) return check_expression(context, *expression, place);
  }
  check_number(context, value, place, least, most, whole);
}

}  // namespace etl::states::validation
