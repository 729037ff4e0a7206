// Types of PostgreSQL, as far as files have them, and what holds the values of two of them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace etl::crawl {

// The narrowest type that holds every value of both, as the table "Widening" in this folder's README says; text in the
// end. Both are names as SQL writes them; "numeric(10,2)" has a precision. A type that is not known here is equal to
// itself, and goes with nothing else but text.
std::string wider_type(std::string_view one, std::string_view other);

// Does a column of type `holder` take every value of `type`, so that nothing needs to change?
bool holds(std::string_view holder, std::string_view type);

// Is it one of the types that a crawler gives columns? All others somebody chose.
bool is_crawler_type(std::string_view type);

// How ALTER TABLE converts the values of a column without losing anything, with %s for the column; empty: as a cast
// does.
std::string conversion(std::string_view from, std::string_view to);

}  // namespace etl::crawl
