// The items of a Map, and what its children make of them: for the interpreter's own files.
#pragma once

#include "states/evaluation.h"

namespace etl::states {

// An array. `input` is what paths speak of. StateError where there is none.
Json items_of(const State& state, const Branch& branch, const Json& input, Evaluation& values);

// How many items each batch has: ItemBatcher. StateError.
std::vector<int64_t> batch_sizes(const State& state, const Json& input, const Json& items, Evaluation& values,
                                 Tools& tools);

// One item as ItemSelector makes it. StateError.
Json selected_item(const State& state, const Json& input, const MapItem& item, Evaluation& values, Tools& tools);

// The input of a child with a batch of items that are selected. StateError.
Json batch_input(const State& state, const Json& input, Json items, Evaluation& values);

}  // namespace etl::states
