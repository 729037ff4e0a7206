#include "states/fence.h"

#include "states/map_items.h"

#include "states/advance.h"

namespace etl::states {
namespace {

// A limit of ItemBatcher: a number, a path, or an expression. It is read anew each time: there is one for all items.
std::optional<int64_t> limit_of(const Json& batcher, const std::string& name, const Json& input, Evaluation& values,
                                double most) {
  Quantity quantity;
  if (batcher.contains(name + "Path")) {
    quantity.field = name + "Path";
    quantity.source = Path::parse(batcher.at(quantity.field).get<std::string>());
  } else if (!batcher.contains(name)) {
    return std::nullopt;
  } else {
    quantity.field = name;
    const Json& limit = batcher.at(name);
    if (limit.is_number()) {
      quantity.source = limit.get<double>();
    } else {
      quantity.source = jsonata_expression(limit.get<std::string>()).value_or("");
    }
  }
  return values.whole_number(quantity, input, {1, most}, true);
}

Json literal_of(const Json& batcher, const Json& input, Evaluation& values) {
  if (!batcher.contains("BatchInput")) return {};
  const Json& source = batcher.at("BatchInput");
  return values.is_jsonata() ? values.query(source, "ItemBatcher/BatchInput")
                             : values.fill(Template::parse(source), input);
}

}  // namespace

Json items_of(const State& state, const Branch& branch, const Json& input, Evaluation& values) {
  const MapFields& map = *state.map;
  if (values.is_jsonata()) {
    Json items = is_given(map.items) ? values.query(map.items, "Items") : branch.input;
    if (!items.is_array() && is_given(map.items)) throw unexpected_type(map.items, "Items", "array", items);
    if (!items.is_array()) {
      throw StateError(errors::kQueryEvaluationError, "Map state input must be an array but was: " + compact(items));
    }
    check_size(items, state.name);
    return items;
  }
  Json items = map.items_path ? map.items_path->evaluate(values.scope(input)) : input;
  if (items.is_array()) return items;
  throw StateError(errors::kRuntime,
                   "Reference path \"" + (map.items_path ? map.items_path->text() : "$") + "\" must point to array.");
}

Json selected_item(const State& state, const Json& input, const MapItem& item, Evaluation& values, Tools& tools) {
  const MapFields& map = *state.map;
  if (!map.item_selector && !is_given(map.jsonata_item_selector)) return item.value;
  tools.show_item(item);
  return values.is_jsonata() ? values.query(map.jsonata_item_selector, "ItemSelector")
                             : values.fill(*map.item_selector, input);
}

// Each batch takes what it may: an item that is larger than a batch may be is one by itself.
std::vector<int64_t> batch_sizes(const State& state, const Json& input, const Json& items, Evaluation& values,
                                 Tools& tools) {
  const Json& batcher = *state.map->item_batcher;
  const auto most_items = limit_of(batcher, "MaxItemsPerBatch", input, values, 1e9);
  const auto most_bytes = limit_of(batcher, "MaxInputBytesPerBatch", input, values, kLargestPayload);
  const size_t empty_bytes = size_in_bytes(batch_input(state, input, Json::array(), values));
  std::vector<int64_t> sizes;
  size_t bytes = 0;
  int64_t index = 0;
  for (const Json& item : items) {
    const size_t more =
        most_bytes ? size_in_bytes(selected_item(state, input, {index, item}, values, tools)) + 1 : 0;  // and a comma
    const bool is_full = sizes.empty() || (most_items && sizes.back() >= *most_items) ||
                         (most_bytes && bytes + more > static_cast<size_t>(*most_bytes) + 1);
    if (is_full) {
      sizes.push_back(0);
      bytes = empty_bytes;
    }
    ++sizes.back();
    bytes += more;
    ++index;
  }
  return sizes;
}

Json batch_input(const State& state, const Json& input, Json items, Evaluation& values) {
  Json batch = {{"Items", std::move(items)}};
  Json literal = literal_of(*state.map->item_batcher, input, values);
  if (!literal.is_null()) batch["BatchInput"] = std::move(literal);
  return batch;
}

}  // namespace etl::states
