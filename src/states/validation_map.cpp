#include "states/utf8.h"
#include "states/validation.h"

namespace etl::states::validation {
namespace {

constexpr size_t kLongestLabel = 40;
constexpr int64_t kMostItems = 100'000'000;

bool is_distributed(const Json& processor) {
  if (!processor.is_object()) return false;
  const auto config = processor.find("ProcessorConfig");
  return config != processor.end() && text_of(*config, "Mode") == "DISTRIBUTED";
}

constexpr Field kReaderConfig[] = {{"InputType", check_text},
                                   {"Transformation", check_text},
                                   {"CSVDelimiter", check_text},
                                   {"CSVHeaderLocation", check_text},
                                   {"CSVHeaders", check_anything},
                                   {"ManifestType", check_text},
                                   {"ItemsPointer", check_text},
                                   {"MaxItems", check_whole_quantity<0, kMostItems>},
                                   {"MaxItemsPath", check_reference_path, Dialect::kJsonPath}};

void check_reader_config(Context& context, const Json& value, const Place& place, QueryLanguage language) {
  if (!check_object(context, value, place, language, "a reader's configuration", {kReaderConfig})) return;
  check_exclusive(context, value, place, {"MaxItems", "MaxItemsPath"});
}

constexpr Field kItemReader[] = {{"Resource", check_resource, Dialect::kAny, true},
                                 {"ReaderConfig", check_reader_config},
                                 {"Parameters", check_payload, Dialect::kJsonPath},
                                 {"Arguments", check_expressions, Dialect::kJsonata}};

constexpr Field kItemBatcher[] = {
    {"MaxItemsPerBatch", check_whole_quantity<1, kMostItems>},
    {"MaxItemsPerBatchPath", check_reference_path, Dialect::kJsonPath},
    {"MaxInputBytesPerBatch", check_whole_quantity<1, static_cast<int64_t>(kLargestPayload)>},
    {"MaxInputBytesPerBatchPath", check_reference_path, Dialect::kJsonPath},
    {"BatchInput", check_payload}};

constexpr Field kWriterConfig[] = {{"Transformation", check_text}, {"OutputType", check_text}};

void check_writer_config(Context& context, const Json& value, const Place& place, QueryLanguage language) {
  check_object(context, value, place, language, "a writer's configuration", {kWriterConfig});
}

constexpr Field kResultWriter[] = {{"Resource", check_resource},
                                   {"WriterConfig", check_writer_config},
                                   {"Parameters", check_payload, Dialect::kJsonPath},
                                   {"Arguments", check_expressions, Dialect::kJsonata}};

// Control characters, and what has a meaning in names of resources.
bool may_be_in_label(uint32_t c) {
  return c > 0x20 && (c < 0x7F || c > 0x9F) && c != 0xFFFE && c != 0xFFFF &&
         (c > 0x7F ||
          std::string_view("<>{}[]?*\"#%\\^|~`$&,;:/").find(static_cast<char>(c)) == std::string_view::npos);
}

}  // namespace

void check_item_reader(Context& context, const Json& value, const Place& place, QueryLanguage language) {
  if (!check_object(context, value, place, language, "an item reader", {kItemReader})) return;
  context.warn(
      place, "NOT_SUPPORTED",
      "there is nothing to read items from: the state will fail with " + std::string(errors::kItemReaderFailed));
}

void check_item_batcher(Context& context, const Json& value, const Place& place, QueryLanguage language) {
  if (!check_object(context, value, place, language, "an item batcher", {kItemBatcher})) return;
  check_exclusive(context, value, place, {"MaxItemsPerBatch", "MaxItemsPerBatchPath"});
  check_exclusive(context, value, place, {"MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath"});
  for (const char* name :
       {"MaxItemsPerBatch", "MaxItemsPerBatchPath", "MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath"}) {
    if (value.contains(name)) return;
  }
  context.error(place, "MISSING_FIELD",
                "an item batcher must have the field \"MaxItemsPerBatch\" or \"MaxInputBytesPerBatch\"");
}

void check_result_writer(Context& context, const Json& value, const Place& place, QueryLanguage language) {
  check_object(context, value, place, language, "a result writer", {kResultWriter});
}

void check_label(Context& context, const Json& value, const Place& place, QueryLanguage) {
  if (!value.is_string()) {
    context.error(place, "WRONG_TYPE", "\"Label\" must be a string");
    return;
  }
  const auto& label = value.get_ref<const std::string&>();
  const size_t length = count_characters(label);
  if (length == 0 || length > kLongestLabel) {
    context.error(place, "INVALID_LABEL", "\"Label\" must have 1 to 40 characters");
  }
  for (std::string_view rest = label; !rest.empty();) {
    if (may_be_in_label(take_character(&rest))) continue;
    context.error(
        place, "INVALID_LABEL",
        "\"Label\" cannot have blanks, control characters, or any of < > { } [ ] ? * \" # % \\ ^ | ~ ` $ & , ; : /");
    return;
  }
}

void check_map(Context& context, const Json& state, const Place& place) {
  check_exclusive(context, state, place, {"ItemProcessor", "Iterator"});
  check_exclusive(context, state, place, {"ItemSelector", "Parameters"});
  check_exclusive(context, state, place, {"MaxConcurrency", "MaxConcurrencyPath"});
  check_exclusive(context, state, place, {"ToleratedFailureCount", "ToleratedFailureCountPath"});
  check_exclusive(context, state, place, {"ToleratedFailurePercentage", "ToleratedFailurePercentagePath"});
  if (!state.contains("ItemProcessor") && !state.contains("Iterator")) {
    context.error(place, "MISSING_FIELD", "a Map state must have the field \"ItemProcessor\"");
    return;
  }
  if (is_distributed(state.contains("ItemProcessor") ? state["ItemProcessor"] : state["Iterator"])) return;
  for (const char* name : {"ItemReader", "ItemBatcher", "ResultWriter", "Label"}) {
    if (!state.contains(name)) continue;
    context.error(place / name, "FIELD_NOT_SUPPORTED",
                  "a Map state supports " + in_quotes(name) + " in the mode DISTRIBUTED only");
  }
  // These the service takes.
  for (const char* name : {"ToleratedFailureCount", "ToleratedFailureCountPath", "ToleratedFailurePercentage",
                           "ToleratedFailurePercentagePath"}) {
    if (!state.contains(name)) continue;
    context.warn(place / name, "NO_EFFECT", in_quotes(name) + " has an effect in the mode DISTRIBUTED only");
  }
}

}  // namespace etl::states::validation
