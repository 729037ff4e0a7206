#include "states/fence.h"

#include "states/path_evaluator.h"

#include <algorithm>

namespace etl::states {
namespace {

// What an index beyond the end of an array leads to. Recognized by its address; else it is a null.
const Json kBeyondEnd = nullptr;

const Json* element_at(const Json& array, int64_t index) {
  const auto size = static_cast<int64_t>(array.size());
  const int64_t counted = index < 0 ? size + index : index;
  return counted < 0 || counted >= size ? &kBeyondEnd : &array[static_cast<size_t>(counted)];
}

const Json* member_of(const Json& object, const std::string& name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

// The elements of an array of `size` that a slice takes: [begin, end). A slice with both numbers counts from `from` up
// as it stands: [-2:1] takes the last two and then the first.
std::pair<int64_t, int64_t> slice_of(const SliceStep& slice, int64_t size) {
  if (!slice.to) return {std::max<int64_t>(0, *slice.from < 0 ? *slice.from + size : *slice.from), size};
  if (!slice.from) return {0, std::min(size, *slice.to < 0 ? *slice.to + size : *slice.to)};
  return {std::max(-size, *slice.from), std::min(size, *slice.to)};
}

std::string kind_of(const Json& value) {
  return &value == &kBeyondEnd ? "null" : value.type_name();
}

}  // namespace

// One step from one value; what it reaches is added to `to`. False where it reaches nothing though it is definite, or
// properties are required: then `missing` says why.
class PathEvaluator::Stepper {
 public:
  Stepper(PathEvaluator& evaluator, const Json& from, const Json& item, size_t step, bool is_last, bool definite,
          bool require_properties, Nodes* to, std::optional<Missing>* missing)
      : evaluator_(evaluator),
        from_(from),
        item_(item),
        step_(step),
        is_last_(is_last),
        definite_(definite),
        require_properties_(require_properties),
        to_(*to),
        missing_(*missing) {}

  bool operator()(const NameStep& step) {
    if (!from_.is_object()) return miss(definite_, Missing::Reason::kNoObject);
    if (step.names.size() > 1) {
      if (!is_last_) evaluator_.fail_before_end(step_);
      return merge(step);
    }
    const Json* member = member_of(from_, step.names.front());
    if (member == nullptr)
      return miss(require_properties_ || definite_,
                  is_last_ ? Missing::Reason::kNoResult : Missing::Reason::kNoProperty);
    to_.push_back(member);
    return true;
  }

  bool operator()(const IndexStep& step) {
    if (!from_.is_array()) return miss_array();
    for (const int64_t index : step.indexes) to_.push_back(element_at(from_, index));
    return true;
  }

  bool operator()(const SliceStep& step) {
    if (!from_.is_array()) return miss_array();
    const auto [begin, end] = slice_of(step, static_cast<int64_t>(from_.size()));
    for (int64_t i = begin; i < end; ++i) to_.push_back(element_at(from_, i));
    return true;
  }

  bool operator()(const WildcardStep&) {
    if (!from_.is_structured()) return true;
    for (const Json& part : from_) to_.push_back(&part);
    return true;
  }

  bool operator()(const ScanStep&) { return true; }  // scan() does it

  bool operator()(const FilterStep& step) {
    if (from_.is_object()) {
      if (evaluator_.holds(*step.condition, from_).value_or(false)) to_.push_back(&from_);
    } else if (from_.is_array()) {
      for (const Json& element : from_) {
        if (evaluator_.holds(*step.condition, element).value_or(false)) to_.push_back(&element);
      }
    }
    return true;
  }

  bool operator()(const FunctionStep& step) {
    std::optional<Json> value = evaluator_.call(step, from_, item_);
    if (!value) return miss(true, Missing::Reason::kNoResult);
    to_.push_back(value->is_discarded() ? &kBeyondEnd : evaluator_.keep(*std::move(value)));
    return true;
  }

 private:
  bool miss(bool matters, Missing::Reason reason) {
    if (matters) missing_ = Missing{reason, step_, &from_};
    return !matters;
  }

  bool miss_array() {
    return miss(definite_, &from_ == &kBeyondEnd ? Missing::Reason::kNothing : Missing::Reason::kNoArray);
  }

  bool merge(const NameStep& step) {
    Json merged = Json::object();
    for (const std::string& name : step.names) {
      const Json* member = member_of(from_, name);
      if (member == nullptr && !miss(require_properties_, Missing::Reason::kNoProperty)) return false;
      if (member == nullptr || merged.contains(name)) continue;
      evaluator_.gather({member});  // counts what is copied
      merged[name] = *member;
    }
    to_.push_back(evaluator_.keep(std::move(merged)));
    return true;
  }

  PathEvaluator& evaluator_;
  const Json& from_;
  const Json& item_;
  size_t step_;
  bool is_last_;
  bool definite_;
  bool require_properties_;
  Nodes& to_;
  std::optional<Missing>& missing_;
};

Path::Match PathEvaluator::match() {
  const Reached reached = follow(path_, document_, false);
  Path::Match result;
  if (!path_.is_definite()) {
    // A part that is missing on the way is no error: the service gives [] for $.item.items[*] of {}.
    result.kind = Path::Match::Kind::kFound;
    result.value = gather(reached.missing ? Nodes{} : reached.nodes);
  } else if (reached.missing) {
    result.reason = explain(*reached.missing);
  } else if (reached.nodes.empty() || reached.nodes.back() == &kBeyondEnd) {
    result.kind = Path::Match::Kind::kBeyondEnd;
    result.reason = "No results for path: $" + describe_steps(path_, 0, path_.steps.size());
  } else {
    result.kind = Path::Match::Kind::kFound;
    result.value = *reached.nodes.back();
  }
  return result;
}

PathEvaluator::Reached PathEvaluator::follow(const PathSyntax& path, const Json& from, bool require_properties) {
  Reached reached{{&from}, std::nullopt};
  bool after_scan = false;
  for (size_t i = 0; i < path.steps.size(); ++i) {
    const bool is_last = i + 1 == path.steps.size();
    if (std::holds_alternative<ScanStep>(path.steps[i])) {
      Nodes found;
      scan(reached.nodes, path.steps[i + 1], &found);
      reached.nodes = std::move(found);
      after_scan = true;
      continue;
    }
    const auto* function = std::get_if<FunctionStep>(&path.steps[i]);
    if (function != nullptr && function->of_all_matches) reached.nodes = {keep(gather(reached.nodes))};
    const bool definite = path.is_definite(i);
    Nodes next;
    for (const Json* node : reached.nodes) {
      const size_t before = next.size();
      Stepper stepper(*this, *node, from, i, is_last, definite, require_properties && !after_scan, &next,
                      &reached.missing);
      if (!std::visit(stepper, path.steps[i])) return reached;
      spend(1 + next.size() - before);
    }
    reached.nodes = std::move(next);
    after_scan = false;
  }
  return reached;
}

// All values at and in `from` that the step after the scan can be applied to.
void PathEvaluator::scan(const Nodes& from, const PathStep& next, Nodes* to) {
  const auto applies = [&](const Json& value) {
    if (const auto* names = std::get_if<NameStep>(&next)) {
      return value.is_object() && std::all_of(names->names.begin(), names->names.end(),
                                              [&](const std::string& name) { return value.contains(name); });
    }
    if (std::holds_alternative<WildcardStep>(next)) return true;
    // Elements of an array are met by themselves; the array's turn is only when the filter fits it, too.
    if (const auto* filter = std::get_if<FilterStep>(&next)) return holds(*filter->condition, value).value_or(false);
    return value.is_array();
  };
  for (const Json* start : from) {
    Nodes pending{start};
    while (!pending.empty()) {
      const Json* value = pending.back();
      pending.pop_back();
      spend(1);
      if (!value->is_structured()) continue;
      if (applies(*value)) to->push_back(value);
      const size_t first = pending.size();
      for (const Json& part : *value) {
        if (part.is_structured()) pending.push_back(&part);
      }
      spend(value->size());
      std::reverse(pending.begin() + static_cast<std::ptrdiff_t>(first), pending.end());
    }
  }
}

// An array of copies, whose size is counted: matches may contain each other.
Json PathEvaluator::gather(const Nodes& nodes) {
  Json result = Json::array();
  for (const Json* node : nodes) {
    const size_t bytes = size_in_bytes(*node);
    if (bytes > bytes_left_) fail("its matches are larger than " + std::to_string(Path::kLargestResult) + " bytes");
    bytes_left_ -= bytes;
    result.push_back(*node);
  }
  return result;
}

std::string PathEvaluator::explain(const Missing& missing) const {
  const std::string before = "$" + describe_steps(path_, 0, missing.step);
  const std::string step = describe_steps(path_, missing.step, 1);
  switch (missing.reason) {
    case Missing::Reason::kNoResult:
      return "No results for path: " + before + step;
    case Missing::Reason::kNoProperty:
      return "Missing property in path " + before + step;
    case Missing::Reason::kNoObject:
      return "Expected to find an object with property " + step + " in path " + before + " but found '" +
             kind_of(*missing.found) + "'";
    case Missing::Reason::kNoArray:
      return "Filter: " + describe_steps(path_, missing.step, path_.steps.size() - missing.step) +
             " can only be applied to arrays. Current context is: " + kind_of(*missing.found);
    case Missing::Reason::kNothing:
      return "The path " + before + " is null";
  }
  return "";
}

// As old versions of Jayway, and with them the service.
void PathEvaluator::fail_before_end(size_t step) const {
  fail("Multi properties can only be used as path leafs: $" + describe_steps(path_, 0, step + 1));
}

void PathEvaluator::fail(const std::string& reason) const {
  throw StateError(errors::kRuntime, "Invalid path '" + path_.text + "' : " + reason);
}

void PathEvaluator::spend(size_t steps) {
  if (steps > steps_left_) fail("it needs more than " + std::to_string(Path::kMostSteps) + " steps");
  steps_left_ -= steps;
}

const Json* PathEvaluator::keep(Json value) {
  return &made_.emplace_back(std::move(value));
}

}  // namespace etl::states
