#include "states/fence.h"

#include <algorithm>

#include "states/path_evaluator.h"
#include "states/utf8.h"

namespace etl::states {
namespace {

bool is_number_type(const Json* value) {
  return value != nullptr && value->is_number();
}
bool is_text(const Json* value) {
  return value != nullptr && value->is_string();
}
bool is_list(const Json* value) {
  return value != nullptr && value->is_array();
}

// Types as Jayway tells them apart: an array and an object are both JSON.
int type_of(const Json& value) {
  if (value.is_structured()) return 0;
  return value.is_number() ? 1 : value.is_string() ? 2 : value.is_boolean() ? 3 : 4;
}

template <typename T>
bool ordered(Comparator comparator, const T& left, const T& right) {
  switch (comparator) {
    case Comparator::kLess:
      return left < right;
    case Comparator::kLessOrEqual:
      return left <= right;
    case Comparator::kGreater:
      return left > right;
    default:
      return left >= right;
  }
}

}  // namespace

std::optional<bool> PathEvaluator::holds(const Condition& condition, const Json& item) {
  spend(1);
  switch (condition.kind) {
    case Condition::Kind::kExists:
      return exists(*std::get<std::shared_ptr<const PathSyntax>>(condition.left), item);
    case Condition::Kind::kComparison:
      return compare(condition, item);
    case Condition::Kind::kNot: {
      const std::optional<bool> part = holds(condition.parts[0], item);
      return part ? std::optional(!*part) : std::nullopt;
    }
    default:
      break;
  }
  const bool decisive = condition.kind == Condition::Kind::kOr;
  for (const Condition& part : condition.parts) {
    const std::optional<bool> value = holds(part, item);
    if (!value || *value == decisive) return value;
  }
  return !decisive;
}

// Values that are made for a comparison are given back after it.
class PathEvaluator::Mark {
 public:
  explicit Mark(std::deque<Json>& made) : made_(made), size_(made.size()) {}
  ~Mark() {
    while (made_.size() > size_) made_.pop_back();
  }
  Mark(const Mark&) = delete;
  Mark& operator=(const Mark&) = delete;

 private:
  std::deque<Json>& made_;
  size_t size_;
};

// An indefinite path exists as soon as what it starts from does: its matches may be none.
bool PathEvaluator::exists(const PathSyntax& path, const Json& item) {
  const Mark mark(made_);
  return !follow(path, path.relative ? item : document_, true).missing;
}

PathEvaluator::Value PathEvaluator::value_of(const Operand& operand, const Json& item) {
  if (const auto* literal = std::get_if<Json>(&operand)) return {literal, nullptr};
  if (const auto* regex = std::get_if<std::shared_ptr<const Regex>>(&operand)) return {nullptr, regex->get()};
  const PathSyntax& path = *std::get<std::shared_ptr<const PathSyntax>>(operand);
  if (path.relative) return {value_at(path, item), nullptr};
  // It is the same for all items.
  const auto [known, is_new] = of_document_.try_emplace(&path);
  if (is_new) {
    const Json* value = value_at(path, document_);
    if (value != nullptr) known->second = *value;
  }
  return {known->second ? &*known->second : nullptr, nullptr};
}

const Json* PathEvaluator::value_at(const PathSyntax& path, const Json& from) {
  const Reached reached = follow(path, from, false);
  if (reached.missing) return nullptr;
  return path.is_definite() ? reached.nodes.back() : keep(gather(reached.nodes));
}

std::optional<bool> PathEvaluator::compare(const Condition& condition, const Json& item) {
  const Mark mark(made_);
  const Value left = value_of(condition.left, item);
  const Value right = value_of(condition.right, item);
  if (condition.comparator == Comparator::kMatches) return regex_matches(left, right);
  if (left.regex != nullptr || right.regex != nullptr) return false;
  return compare_values(condition.comparator, left, right);
}

std::optional<bool> PathEvaluator::compare_values(Comparator comparator, const Value& left, const Value& right) {
  const Json* a = left.json;
  const Json* b = right.json;
  switch (comparator) {
    case Comparator::kEqual:
      return equal(a, b);
    case Comparator::kNotEqual:
      return !equal(a, b);
    case Comparator::kSameTypeEqual:
      return a != nullptr && b != nullptr && type_of(*a) == type_of(*b) && equal(a, b);
    case Comparator::kNotSameTypeEqual:
      return a == nullptr || b == nullptr || type_of(*a) != type_of(*b) || !equal(a, b);
    case Comparator::kSize:
      if (!is_number_type(b)) return false;
      if (is_text(a)) return *b == count_characters(a->get_ref<const std::string&>());
      return is_list(a) && *b == a->size();
    case Comparator::kEmpty:
      if (b == nullptr || !b->is_boolean()) return std::nullopt;
      if (is_text(a)) return a->get_ref<const std::string&>().empty() == b->get<bool>();
      return a != nullptr && a->is_structured() && a->empty() == b->get<bool>();
    case Comparator::kContains:
      if (is_text(a) && is_text(b)) {
        return a->get_ref<const std::string&>().find(b->get_ref<const std::string&>()) != std::string::npos;
      }
      return is_list(a) && contains(*a, b);
    case Comparator::kLess:
    case Comparator::kLessOrEqual:
    case Comparator::kGreater:
    case Comparator::kGreaterOrEqual:
      if (is_number_type(a) && is_number_type(b)) return ordered(comparator, *a, *b);
      if (is_text(a) && is_text(b)) {
        return ordered(comparator, a->get_ref<const std::string&>(), b->get_ref<const std::string&>());
      }
      return false;
    default:
      return compare_lists(comparator, a, b);
  }
}

std::optional<bool> PathEvaluator::compare_lists(Comparator comparator, const Json* left, const Json* right) {
  if (right == nullptr || !right->is_structured()) return std::nullopt;
  if (comparator == Comparator::kIn) return right->is_array() && contains(*right, left);
  if (comparator == Comparator::kNotIn) return !right->is_array() || !contains(*right, left);
  if (left == nullptr || !left->is_structured()) return std::nullopt;
  if (!left->is_array() || !right->is_array()) return false;
  const auto in_right = [&](const Json& value) { return contains(*right, &value); };
  switch (comparator) {
    case Comparator::kSubsetOf:
      return std::all_of(left->begin(), left->end(), in_right);
    case Comparator::kAnyOf:
      return std::any_of(left->begin(), left->end(), in_right);
    case Comparator::kNoneOf:
      return std::none_of(left->begin(), left->end(), in_right);
    default:  // kAll
      return std::all_of(right->begin(), right->end(), [&](const Json& value) { return contains(*left, &value); });
  }
}

bool PathEvaluator::contains(const Json& list, const Json* value) {
  return std::any_of(list.begin(), list.end(), [&](const Json& element) { return equal(value, &element); });
}

// As Jayway compares: what leads nowhere equals nothing, and a number equals a text that looks like it.
bool PathEvaluator::equal(const Json* left, const Json* right) {
  spend(1);
  if (left == nullptr || right == nullptr) return false;
  if (left->is_number() && right->is_string()) {
    const std::optional<Json> number = parse_json(right->get_ref<const std::string&>());
    return number && number->is_number() && *number == *left;
  }
  if (left->is_string() && right->is_number()) return left->get_ref<const std::string&>() == compact(*right);
  return same(*left, *right);
}

bool PathEvaluator::same(const Json& left, const Json& right) {
  spend(1);
  if (left.is_string() && right.is_string()) {
    const auto& text = left.get_ref<const std::string&>();
    spend(text.size() / 256);
    return text == right.get_ref<const std::string&>();
  }
  if (!left.is_structured() || left.type() != right.type()) return left == right;
  if (left.size() != right.size()) return false;
  auto other = right.begin();
  for (auto part = left.begin(); part != left.end(); ++part, ++other) {
    if (left.is_object() && part.key() != other.key()) return false;
    if (!same(*part, *other)) return false;
  }
  return true;
}

bool PathEvaluator::regex_matches(const Value& left, const Value& right) {
  if ((left.regex == nullptr) == (right.regex == nullptr)) return false;
  const Regex& regex = left.regex != nullptr ? *left.regex : *right.regex;
  const Json* subject = left.regex != nullptr ? right.json : left.json;
  if (subject == nullptr) return text_matches(regex, "");
  if (!subject->is_array()) return text_matches(regex, *subject);
  return std::any_of(subject->begin(), subject->end(), [&](const Json& value) { return text_matches(regex, value); });
}

bool PathEvaluator::text_matches(const Regex& regex, const Json& value) {
  const bool has_text = value.is_number() || value.is_boolean();
  const std::string text = value.is_string() ? value.get<std::string>() : has_text ? compact(value) : "";
  spend(regex.cost(text));
  return regex.matches(text);
}

}  // namespace etl::states
