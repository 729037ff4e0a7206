#include "crawl/fence.h"

#include "crawl/types.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace etl::crawl {

namespace {

constexpr int kMostPrecision = 1000;  // of numeric

enum class Base {
  kBoolean,
  kSmallint,
  kInteger,
  kBigint,
  kNumeric,
  kReal,
  kDouble,
  kDate,
  kTimestamp,
  kTimestamptz,
  kTime,
  kUuid,
  kJsonb,
  kBytea,
  kText,
  kOther
};

struct Known {
  Base base;
  std::string_view name;
};

constexpr std::array<Known, 18> kTypes = {{{Base::kBoolean, "boolean"},
                                           {Base::kSmallint, "smallint"},
                                           {Base::kInteger, "integer"},
                                           {Base::kBigint, "bigint"},
                                           {Base::kNumeric, "numeric"},
                                           {Base::kReal, "real"},
                                           {Base::kDouble, "double precision"},
                                           {Base::kDate, "date"},
                                           {Base::kTimestamp, "timestamp"},
                                           {Base::kTimestamp, "timestamp without time zone"},
                                           {Base::kTimestamptz, "timestamptz"},
                                           {Base::kTimestamptz, "timestamp with time zone"},
                                           {Base::kTime, "time"},
                                           {Base::kTime, "time without time zone"},
                                           {Base::kUuid, "uuid"},
                                           {Base::kJsonb, "jsonb"},
                                           {Base::kBytea, "bytea"},
                                           {Base::kText, "text"}}};

struct Type {
  Base base = Base::kOther;
  std::string name;
  int precision = 0;  // of numeric; 0: any
  int scale = 0;

  bool operator==(const Type&) const = default;
};

Type numeric(int precision, int scale) {
  if (precision > kMostPrecision) return {Base::kNumeric, "numeric"};
  return {Base::kNumeric, "numeric(" + std::to_string(precision) + "," + std::to_string(scale) + ")", precision, scale};
}

Type plain(Base base) {
  const auto found = std::ranges::find(kTypes, base, &Known::base);
  return {base, std::string(found->name)};
}

Type parse(std::string_view name) {
  const auto found = std::ranges::find(kTypes, name, &Known::name);
  if (found != kTypes.end()) return plain(found->base);
  constexpr std::string_view kStart = "numeric(";
  if (name.starts_with(kStart) && name.ends_with(')')) {
    int precision = 0;
    int scale = 0;
    const char* end = name.data() + name.size() - 1;
    const auto first = std::from_chars(name.data() + kStart.size(), end, precision);
    if (first.ptr == end) return numeric(precision, 0);
    if (*first.ptr == ',' && std::from_chars(first.ptr + 1, end, scale).ptr == end && scale >= 0)
      return numeric(precision, scale);
  }
  return {Base::kOther, std::string(name)};
}

// The digits that a whole number of this type may have; 0: it is none.
int whole_digits(Base base) {
  switch (base) {
    case Base::kSmallint:
      return 5;
    case Base::kInteger:
      return 10;
    case Base::kBigint:
      return 19;
    default:
      return 0;
  }
}

Type wider_numeric(const Type& one, const Type& other) {
  if (one.precision == 0 || other.precision == 0) return plain(Base::kNumeric);
  const int scale = std::max(one.scale, other.scale);
  return numeric(std::max(one.precision - one.scale, other.precision - other.scale) + scale, scale);
}

bool is_float(Base base) {
  return base == Base::kReal || base == Base::kDouble;
}

// Of two numbers, in the order of Base.
std::optional<Type> wider_number(const Type& low, const Type& high) {
  const int digits = whole_digits(low.base);
  if (digits > 0 && whole_digits(high.base) > 0) return high;
  if (low.base == Base::kNumeric && high.base == Base::kNumeric) return wider_numeric(low, high);
  if (digits > 0 && high.base == Base::kNumeric) return wider_numeric(numeric(digits, 0), high);
  if (!is_float(high.base)) return std::nullopt;
  if (low.base == Base::kReal || low.base == Base::kInteger) return plain(Base::kDouble);
  if (low.base == Base::kSmallint) return high;
  // A float holds 15 digits. Its text is exact, and numeric takes it all, also NaN and infinity.
  if (low.base == Base::kBigint || low.base == Base::kNumeric) return plain(Base::kNumeric);
  return std::nullopt;
}

Type wider(const Type& one, const Type& other) {
  if (one == other) return one;
  const Type& low = one.base <= other.base ? one : other;
  const Type& high = one.base <= other.base ? other : one;
  if (const auto number = wider_number(low, high)) return *number;
  // A moment is none without its zone, and a date none in any: such columns hold two kinds of things.
  if (low.base == Base::kDate && high.base == Base::kTimestamp) return high;
  return plain(Base::kText);
}

}  // namespace

std::string wider_type(std::string_view one, std::string_view other) {
  return wider(parse(one), parse(other)).name;
}

bool holds(std::string_view holder, std::string_view type) {
  return wider(parse(holder), parse(type)) == parse(holder);
}

bool is_crawler_type(std::string_view type) {
  return parse(type).base != Base::kOther;
}

std::string conversion(std::string_view from, std::string_view to) {
  return is_float(parse(from).base) && parse(to).base == Base::kNumeric ? "%s::text::numeric" : "";
}

}  // namespace etl::crawl
