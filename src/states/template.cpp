#include "states/fence.h"

#include "states/template.h"

#include <unordered_set>
#include <variant>
#include <vector>

namespace etl::states {
namespace {

constexpr std::string_view kEnding = ".$";
constexpr size_t kMostBytes = Path::kLargestResult;  // of all fields together

std::string pointer_to(const std::string& parent, const std::string& key) {
  std::string result = parent + "/";
  for (const char c : key) result += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return result;
}

const Json& searched(const Path& path, const Scope& scope) {
  return path.root() == Path::Root::kContext ? scope.context : scope.input;
}

}  // namespace

// A part of a template: what is constant in it is not looked into again.
struct Template::Node {
  struct Field {
    std::string name;  // as written, with its ending
    Expression expression;
  };
  using Members = std::vector<std::pair<std::string, Node>>;  // by the names that they will have
  std::variant<Json, Field, Members, std::vector<Node>> content;
};

// Recursive as deep as the template is, which is checked.
class Template::Parser {
 public:
  Node parse_whole(const Json& source) {
    note_fields(source);
    return parse(source, "");
  }

 private:
  // Whether there is a field with the ending in `source`; all values that have one are noted.
  bool note_fields(const Json& source) {
    bool found = false;
    if (source.is_structured()) {
      for (const auto& [key, part] : source.items()) {
        const bool is_field = source.is_object() && key.ends_with(kEnding);
        found = note_fields(part) || is_field || found;
      }
    }
    if (found) with_fields_.insert(&source);
    return found;
  }

  Node parse(const Json& source, const std::string& pointer) {
    if (!with_fields_.contains(&source)) return {source};
    if (source.is_array()) {
      std::vector<Node> elements;
      for (size_t i = 0; i < source.size(); ++i)
        elements.push_back(parse(source[i], pointer + "/" + std::to_string(i)));
      return {std::move(elements)};
    }
    Node::Members members;
    for (const auto& [key, value] : source.items()) {
      const std::string place = pointer_to(pointer, key);
      if (key.ends_with(kEnding)) {
        const std::string name = key.substr(0, key.size() - kEnding.size());
        if (source.contains(name)) throw PathSyntaxError(place + ": there is also a field \"" + name + "\"");
        members.emplace_back(name, parse_field(key, value, place));
      } else {
        members.emplace_back(key, parse(value, place));
      }
    }
    return {std::move(members)};
  }

  static Node parse_field(const std::string& name, const Json& value, const std::string& place) {
    if (!value.is_string()) throw PathSyntaxError(place + ": must be a path or an intrinsic function");
    try {
      return {Node::Field{name, Expression::parse(value.get_ref<const std::string&>())}};
    } catch (const PathSyntaxError& error) {
      throw PathSyntaxError(place + ": " + error.what());
    } catch (const IntrinsicSyntaxError& error) {
      throw IntrinsicSyntaxError(place + ": " + error.what());
    }
  }

  std::unordered_set<const Json*> with_fields_;
};

class Template::Evaluation {
 public:
  Evaluation(const Scope& scope, Entropy& entropy) : scope_(scope), entropy_(entropy) {}

  Json evaluate(const Node& node) {
    if (const auto* constant = std::get_if<Json>(&node.content)) return *constant;
    if (const auto* field = std::get_if<Node::Field>(&node.content)) {
      return counted(field->expression.evaluate(field->name, scope_, entropy_));
    }
    if (const auto* members = std::get_if<Node::Members>(&node.content)) {
      Json result = Json::object();
      for (const auto& [name, member] : *members) result[name] = evaluate(member);
      return result;
    }
    Json result = Json::array();
    for (const Node& element : std::get<std::vector<Node>>(node.content)) result.push_back(evaluate(element));
    return result;
  }

 private:
  Json counted(Json value) {
    const size_t bytes = size_in_bytes(value);
    if (bytes > bytes_left_) {
      throw StateError(errors::kDataLimitExceeded,
                       "The fields of a payload template are larger than " + std::to_string(kMostBytes) + " bytes.");
    }
    bytes_left_ -= bytes;
    return value;
  }

  const Scope& scope_;
  Entropy& entropy_;
  size_t bytes_left_ = kMostBytes;
};

Template Template::parse(const Json& source) {
  if (extent(source).depth > kDeepestJson) throw PathSyntaxError("a payload template is too deeply nested");
  Template result;
  result.node_ = std::make_shared<const Node>(Parser().parse_whole(source));
  return result;
}

Json Template::evaluate(const Scope& scope, Entropy& entropy) const {
  return Evaluation(scope, entropy).evaluate(*node_);
}

Expression Expression::parse(std::string_view text) {
  Expression result;
  if (Intrinsic::looks_like_one(text)) {
    result.intrinsic_ = Intrinsic::parse(text);
  } else {
    result.path_ = Path::parse(text);
  }
  return result;
}

Json Expression::evaluate(const std::string& field, const Scope& scope, Entropy& entropy) const {
  if (!path_) return intrinsic_->evaluate(scope, entropy);
  Path::Match found = path_->match(scope);
  if (found.kind != Path::Match::Kind::kMissing) return std::move(found.value);
  throw StateError(errors::kRuntime, "The JSONPath '" + path_->text() + "' specified for the field '" + field +
                                         "' could not be found in the input '" + shown(searched(*path_, scope)) + "'");
}

}  // namespace etl::states
