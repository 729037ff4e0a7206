#include "states/definition_fields.h"

#include <stdexcept>

#include "states/document.h"
#include "states/jsonata.h"

namespace etl::states::fields {
namespace {

[[noreturn]] void refuse(const char* name, const char* what) {
  throw std::invalid_argument(std::string(name) + " " + what);
}

}  // namespace

const Json* find(const Json& object, const char* name) {
  const auto field = object.find(name);
  return field == object.end() ? nullptr : &*field;
}

const Json& at(const Json& object, const char* name) {
  const Json* value = find(object, name);
  if (value == nullptr) refuse(name, "is missing");
  return *value;
}

const Json& list(const Json& object, const char* name) {
  const Json& value = at(object, name);
  if (!value.is_array()) refuse(name, "is no list");
  return value;
}

Json json(const Json& object, const char* name) {
  const Json* value = find(object, name);
  return value ? *value : Json(Json::value_t::discarded);
}

std::optional<Json> optional_json(const Json& object, const char* name) {
  const Json* value = find(object, name);
  return value ? std::optional(*value) : std::nullopt;
}

const std::string& text(const Json& value, const char* name) {
  if (!value.is_string()) refuse(name, "is no string");
  return value.get_ref<const std::string&>();
}

std::string required_text(const Json& object, const char* name) {
  return text(at(object, name), name);
}

std::string optional_text(const Json& object, const char* name) {
  const Json* value = find(object, name);
  return value ? text(*value, name) : std::string();
}

int64_t integer(const Json& object, const char* name, int64_t value_if_absent) {
  const Json* value = find(object, name);
  if (value == nullptr) return value_if_absent;
  const auto result = whole_number(*value);
  if (!result) refuse(name, "is no integer");
  return *result;
}

double number(const Json& object, const char* name, double value_if_absent) {
  const Json* value = find(object, name);
  if (value == nullptr) return value_if_absent;
  if (!value->is_number()) refuse(name, "is no number");
  return value->get<double>();
}

std::vector<std::string> texts(const Json& object, const char* name) {
  std::vector<std::string> result;
  for (const Json& value : list(object, name)) result.push_back(text(value, name));
  return result;
}

std::optional<Path> path(const Json& object, const char* name) {
  const Json* value = find(object, name);
  if (value == nullptr) return std::nullopt;
  return Path::parse(text(*value, name));
}

OptionalPath optional_path(const Json& object, const char* name) {
  OptionalPath result;
  const Json* value = find(object, name);
  if (value == nullptr) return result;
  result.is_null = value->is_null();
  if (!result.is_null) result.path = Path::parse(text(*value, name));
  return result;
}

OptionalPath result_path(const Json& object) {
  OptionalPath result = optional_path(object, "ResultPath");
  if (!result.path) return result;
  if (!result.path->is_reference() || result.path->root() != Path::Root::kInput) {
    refuse("ResultPath", "is no reference path");
  }
  return result;
}

std::optional<Template> payload(const Json& object, const char* name) {
  const Json* value = find(object, name);
  if (value == nullptr) return std::nullopt;
  return Template::parse(*value);
}

std::optional<Expression> expression(const Json& object, const char* name) {
  const Json* value = find(object, name);
  if (value == nullptr) return std::nullopt;
  return Expression::parse(text(*value, name));
}

std::optional<Quantity> quantity(const Json& object, const char* name, QueryLanguage language) {
  if (const Json* value = find(object, name)) {
    if (value->is_number()) return Quantity{name, value->get<double>()};
    auto source = language == QueryLanguage::kJsonata && value->is_string()
                      ? jsonata_expression(value->get_ref<const std::string&>())
                      : std::nullopt;
    if (!source) refuse(name, "is no number");
    return Quantity{name, *std::move(source)};
  }
  if (language == QueryLanguage::kJsonata) return std::nullopt;
  const std::string name_of_path = std::string(name) + "Path";
  auto found = path(object, name_of_path.c_str());
  if (!found) return std::nullopt;
  return Quantity{name_of_path, *std::move(found)};
}

QueryLanguage language(const Json& object, QueryLanguage value_if_absent) {
  const std::string name = optional_text(object, "QueryLanguage");
  if (name.empty()) return value_if_absent;
  if (name == "JSONata") return QueryLanguage::kJsonata;
  if (name != "JSONPath") refuse("QueryLanguage", "is unknown");
  return QueryLanguage::kJsonPath;
}

}  // namespace etl::states::fields
