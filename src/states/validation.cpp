#include "states/validation.h"

#include <algorithm>

#include "states/document.h"

namespace etl::states::validation {
namespace {

// The parts of a pointer in the order of the document: indexes as numbers.
bool comes_before(std::string_view left, std::string_view right) {
  while (!left.empty() && !right.empty()) {
    const std::string_view a = left.substr(0, left.find('/', 1));
    const std::string_view b = right.substr(0, right.find('/', 1));
    if (a != b) {
      const auto is_index = [](std::string_view part) {
        return part.size() > 1 && part.find_first_not_of("0123456789", 1) == std::string_view::npos;
      };
      if (is_index(a) && is_index(b) && a.size() != b.size()) return a.size() < b.size();
      return a < b;
    }
    left.remove_prefix(a.size());
    right.remove_prefix(b.size());
  }
  return left.empty() && !right.empty();
}

}  // namespace

std::string Place::pointer() const {
  std::vector<const Place*> way;
  for (const Place* place = this; place->up_ != nullptr; place = place->up_) way.push_back(place);
  std::string result;
  for (auto place = way.rbegin(); place != way.rend(); ++place) {
    result += (*place)->is_index_ ? pointer_to("", (*place)->index_) : pointer_to("", (*place)->key_);
  }
  return result;
}

std::vector<std::string_view> Place::keys_below(const Place& above) const {
  std::vector<std::string_view> keys;
  const Place* place = this;
  for (; place != nullptr && place != &above; place = place->up_) keys.push_back(place->key_);
  if (place == nullptr) return {};
  std::reverse(keys.begin(), keys.end());
  return keys;
}

void Context::error(const Place& place, const char* code, std::string message) {
  add(Severity::kError, place, code, std::move(message));
}

void Context::warn(const Place& place, const char* code, std::string message) {
  add(Severity::kWarning, place, code, std::move(message));
}

void Context::add(Severity severity, const Place& place, const char* code, std::string message) {
  auto& list = severity == Severity::kError ? errors_ : warnings_;
  if (list.size() >= limits.most_findings) {
    ++(severity == Severity::kError ? left_out_errors_ : left_out_warnings_);
    return;
  }
  list.push_back({severity, code, place.pointer(), std::move(message)});
}

std::vector<Finding> Context::findings() && {
  // Errors are never left out for the sake of warnings.
  const size_t room = limits.most_findings - errors_.size();
  if (warnings_.size() > room) {
    left_out_warnings_ += warnings_.size() - room;
    warnings_.resize(room);
  }
  std::vector<Finding> result = std::move(errors_);
  std::move(warnings_.begin(), warnings_.end(), std::back_inserter(result));
  std::stable_sort(result.begin(), result.end(),
                   [](const Finding& a, const Finding& b) { return comes_before(a.pointer, b.pointer); });
  if (left_out_errors_ + left_out_warnings_ > 0) {
    result.push_back({left_out_errors_ > 0 ? Severity::kError : Severity::kWarning, "MORE_FINDINGS", "",
                      "there are " + std::to_string(left_out_errors_) + " more errors and " +
                          std::to_string(left_out_warnings_) + " more warnings"});
  }
  return result;
}

std::string in_quotes(std::string_view text) {
  constexpr size_t kLongest = 100;
  if (text.size() <= kLongest) return '"' + std::string(text) + '"';
  size_t end = kLongest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not within a character
  return '"' + std::string(text.substr(0, end)) + "...\"";
}

std::string_view text_of(const Json& object, const char* field) {
  if (!object.is_object()) return {};
  const auto found = object.find(field);
  if (found == object.end() || !found->is_string()) return {};
  return found->get_ref<const std::string&>();
}

}  // namespace etl::states::validation
