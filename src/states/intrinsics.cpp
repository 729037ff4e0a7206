#include "states/fence.h"

#include "states/intrinsics.h"

#include "states/intrinsic_call.h"

namespace etl::states {
namespace {

constexpr size_t kMostBytes = Path::kLargestResult;  // of all arguments and results together

class Evaluation {
 public:
  Evaluation(const std::string& text, const Scope& scope, Entropy& entropy)
      : text_(text), scope_(scope), entropy_(entropy) {}

  // Recursive as deep as the parser lets calls be nested.
  Json evaluate(const IntrinsicCall& call) {
    IntrinsicArguments arguments{{}, nullptr, entropy_};
    arguments.values.reserve(call.arguments.size());
    for (const IntrinsicArgument& argument : call.arguments) arguments.values.push_back(value_of(argument));
    if (!call.arguments.empty()) {
      const auto* text = std::get_if<QuotedText>(&call.arguments[0]);
      if (text != nullptr) arguments.written_format = &text->written;
    }
    return counted(call.function(arguments));
  }

  [[noreturn]] void fail(const char* error, const std::string& what) const {
    throw StateError(error, "The function '" + text_ + "' had the following error: " + what);
  }

 private:
  Json value_of(const IntrinsicArgument& argument) {
    if (const auto* literal = std::get_if<Json>(&argument)) return *literal;
    if (const auto* text = std::get_if<QuotedText>(&argument)) return text->value;
    if (const auto* path = std::get_if<Path>(&argument)) return value_of(*path);
    return evaluate(*std::get<std::shared_ptr<const IntrinsicCall>>(argument));
  }

  Json value_of(const Path& path) {
    Path::Match found = path.match(scope_);
    if (found.kind == Path::Match::Kind::kFound) return counted(std::move(found.value));
    // The service names a path into the context without its second $, and shows the input all the same.
    const std::string name = path.root() == Path::Root::kContext ? path.text().substr(1) : path.text();
    fail(errors::kRuntime, "The JsonPath argument for the field '" + name + "' could not be found in the input '" +
                               shown(scope_.input) + "'");
  }

  // Copies of copies may grow beyond all bounds.
  Json counted(Json value) {
    const size_t bytes = size_in_bytes(value);
    if (bytes > bytes_left_)
      fail(errors::kDataLimitExceeded, "its values are larger than " + std::to_string(kMostBytes) + " bytes");
    bytes_left_ -= bytes;
    return value;
  }

  const std::string& text_;
  const Scope& scope_;
  Entropy& entropy_;
  size_t bytes_left_ = kMostBytes;
};

}  // namespace

Intrinsic Intrinsic::parse(std::string_view text) {
  return Intrinsic(std::string(text), parse_intrinsic(text));
}

bool Intrinsic::looks_like_one(std::string_view text) {
  return text.starts_with("States.");
}

Json Intrinsic::evaluate(const Scope& scope, Entropy& entropy) const {
  Evaluation evaluation(text_, scope, entropy);
  try {
    return evaluation.evaluate(*call_);
  } catch (const IntrinsicProblem& problem) {
    evaluation.fail(errors::kIntrinsicFailure, problem.what());
  }
}

}  // namespace etl::states
