// Fields of a definition's objects, for those that parse it: each gives what is written there in the form of
// definition.h, or the default. std::invalid_argument, PathSyntaxError and IntrinsicSyntaxError where it is wrong.
#pragma once

#include "states/definition.h"

namespace etl::states::fields {

const Json* find(const Json& object, const char* name);  // null where it is not there
const Json& at(const Json& object, const char* name);    // which must be there
const Json& list(const Json& object, const char* name);  // likewise, an array
Json json(const Json& object, const char* name);         // discarded where it is not there
std::optional<Json> optional_json(const Json& object, const char* name);

const std::string& text(const Json& value, const char* name);
std::string required_text(const Json& object, const char* name);
std::string optional_text(const Json& object, const char* name);  // empty where it is not there
int64_t integer(const Json& object, const char* name, int64_t value_if_absent);
double number(const Json& object, const char* name, double value_if_absent);
std::vector<std::string> texts(const Json& object, const char* name);

std::optional<Path> path(const Json& object, const char* name);
OptionalPath optional_path(const Json& object, const char* name);
OptionalPath result_path(const Json& object);  // a reference path into the input
std::optional<Template> payload(const Json& object, const char* name);
std::optional<Expression> expression(const Json& object, const char* name);

// `name`, or in the JSONPath dialect also `name`Path.
std::optional<Quantity> quantity(const Json& object, const char* name, QueryLanguage language);

// `value_if_absent` where the object does not say.
QueryLanguage language(const Json& object, QueryLanguage value_if_absent);

}  // namespace etl::states::fields
