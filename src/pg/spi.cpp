#include "pg/spi.h"

#include "pg/guard.h"

extern "C" {
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
}

namespace etl::pg {

namespace {

// Outside the class, whose member text() hides the server's type of that name.
const char* to_c_string(Datum datum) {
  return TextDatumGetCString(datum);
}

}  // namespace

Spi::Spi(Mode mode) : exceptions_(std::uncaught_exceptions()) {
  guard([&] { SPI_connect_ext(mode == Mode::kNonatomic ? SPI_OPT_NONATOMIC : 0); });
}

Spi::~Spi() {
  if (std::uncaught_exceptions() == exceptions_) SPI_finish();
}

void Spi::commit() {
  guard([] { SPI_commit(); });
}

LatestSnapshot::LatestSnapshot() : exceptions_(std::uncaught_exceptions()) {
  guard([] { PushActiveSnapshot(GetLatestSnapshot()); });
}

LatestSnapshot::~LatestSnapshot() {
  if (std::uncaught_exceptions() == exceptions_) PopActiveSnapshot();  // else the abort that must follow does it
}

Value value(int64_t number) {
  return Value(Int64GetDatum(number));
}
Value value(int32_t number) {
  return Value(Int32GetDatum(number));
}
Value value(Oid oid) {
  return Value(ObjectIdGetDatum(oid));
}
Value value(double number) {
  return Value(Float8GetDatum(number));
}

Value value(bool truth) {
  return Value(BoolGetDatum(truth));
}

Value value(std::string_view text) {
  return Value(
      guard([&] { return PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size()))); }));
}

Value value(const std::string& text) {
  return value(std::string_view(text));
}

Value value(const char* text) {
  return text == nullptr ? Value() : value(std::string_view(text));
}

Value text_or_null(const std::string& text) {
  return text.empty() ? Value() : value(text);
}

Value text_array(const std::vector<std::string>& texts) {
  return Value(guard([&] {
    auto* elements = static_cast<Datum*>(palloc(sizeof(Datum) * (texts.size() + 1)));
    for (size_t i = 0; i < texts.size(); ++i)
      elements[i] = PointerGetDatum(cstring_to_text_with_len(texts[i].data(), static_cast<int>(texts[i].size())));
    return PointerGetDatum(construct_array(elements, static_cast<int>(texts.size()), TEXTOID, -1, false, TYPALIGN_INT));
  }));
}

Value int4_array(const std::vector<int>& numbers) {
  return Value(guard([&] {
    auto* elements = static_cast<Datum*>(palloc(sizeof(Datum) * (numbers.size() + 1)));
    for (size_t i = 0; i < numbers.size(); ++i) elements[i] = Int32GetDatum(numbers[i]);
    return PointerGetDatum(construct_array(elements, static_cast<int>(numbers.size()), INT4OID, 4, true, TYPALIGN_INT));
  }));
}

Value oid_array(const std::vector<Oid>& oids) {
  return Value(guard([&] {
    auto* elements = static_cast<Datum*>(palloc(sizeof(Datum) * (oids.size() + 1)));
    for (size_t i = 0; i < oids.size(); ++i) elements[i] = ObjectIdGetDatum(oids[i]);
    return PointerGetDatum(construct_array(elements, static_cast<int>(oids.size()), OIDOID, 4, true, TYPALIGN_INT));
  }));
}

namespace {

// An array of a type that takes eight bytes by value; elements equal to `null` are null.
Value wide_array(const std::vector<int64_t>& numbers, int64_t null, Oid type) {
  return Value(guard([&] {
    auto* elements = static_cast<Datum*>(palloc(sizeof(Datum) * (numbers.size() + 1)));
    auto* nulls = static_cast<bool*>(palloc(sizeof(bool) * (numbers.size() + 1)));
    for (size_t i = 0; i < numbers.size(); ++i) {
      elements[i] = Int64GetDatum(numbers[i]);
      nulls[i] = numbers[i] == null;
    }
    int size = static_cast<int>(numbers.size());
    int lower_bound = 1;
    return PointerGetDatum(
        construct_md_array(elements, nulls, size == 0 ? 0 : 1, &size, &lower_bound, type, 8, true, TYPALIGN_DOUBLE));
  }));
}

}  // namespace

Value int8_array(const std::vector<int64_t>& numbers, int64_t null) {
  return wide_array(numbers, null, INT8OID);
}

Value timestamp_array(const std::vector<TimestampTz>& times, TimestampTz null) {
  return wide_array(times, null, TIMESTAMPTZOID);
}

Value timestamp_value(TimestampTz time) {
  return Value(TimestampTzGetDatum(time));
}

Datum Rows::datum(int row, int column, bool* null) const {
  return guard([&] { return SPI_getbinval(table_->vals[row], table_->tupdesc, column + 1, null); });
}

bool Rows::null(int row, int column) const {
  bool null = true;
  datum(row, column, &null);
  return null;
}

int64_t Rows::int8(int row, int column) const {
  bool null = true;
  const Datum found = datum(row, column, &null);
  return null ? 0 : DatumGetInt64(found);
}

int32_t Rows::int4(int row, int column) const {
  bool null = true;
  const Datum found = datum(row, column, &null);
  return null ? 0 : DatumGetInt32(found);
}

Oid Rows::oid(int row, int column) const {
  bool null = true;
  const Datum found = datum(row, column, &null);
  return null ? InvalidOid : DatumGetObjectId(found);
}

double Rows::float8(int row, int column) const {
  bool null = true;
  const Datum found = datum(row, column, &null);
  return null ? 0 : DatumGetFloat8(found);
}

TimestampTz Rows::timestamp(int row, int column) const {
  bool null = true;
  const Datum found = datum(row, column, &null);
  return null ? 0 : DatumGetTimestampTz(found);
}

bool Rows::boolean(int row, int column) const {
  bool null = true;
  const Datum found = datum(row, column, &null);
  return !null && DatumGetBool(found);
}

std::string Rows::text(int row, int column) const {
  const char* found = guard([&] { return SPI_getvalue(table_->vals[row], table_->tupdesc, column + 1); });
  return found == nullptr ? std::string() : std::string(found);
}

std::vector<std::string> Rows::texts(int row, int column) const {
  bool null = true;
  const Datum found = datum(row, column, &null);
  return null ? std::vector<std::string>{} : texts_of(found, "an array");
}

std::vector<std::string> texts_of(Datum array, const char* what) {
  struct Elements {
    Datum* datums;
    bool* nulls;
    int count;
  };
  const Elements elements = guard([&] {
    Elements read{};
    deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &read.datums, &read.nulls,
                      &read.count);
    return read;
  });
  std::vector<std::string> texts;
  texts.reserve(static_cast<size_t>(elements.count));
  for (int i = 0; i < elements.count; ++i) {
    if (elements.nulls[i]) throw Failure(ERRCODE_NULL_VALUE_NOT_ALLOWED, format("%s must not contain nulls", what));
    const char* element = guard([&] { return to_c_string(elements.datums[i]); });
    texts.emplace_back(element);
  }
  return texts;
}

Rows Statement::run(std::initializer_list<Value> arguments) {
  return execute(arguments, View::kNew);
}

Rows Statement::read(std::initializer_list<Value> arguments) {
  return execute(arguments, View::kPresent);
}

Rows Statement::read_latest(std::initializer_list<Value> arguments) {
  return execute(arguments, View::kLatest);
}

namespace {

// Whether an error says what is wrong with something that a user gave. Then it stands for itself: the statement of ours
// that came upon it tells nobody anything.
bool speaks_for_itself(int sqlstate) {
  switch (ERRCODE_TO_CATEGORY(sqlstate)) {
    case ERRCODE_DATA_EXCEPTION:
    case ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION:
    case ERRCODE_INVALID_TRANSACTION_STATE:
    case ERRCODE_FEATURE_NOT_SUPPORTED:
      return true;
    default:
      return sqlstate == ERRCODE_INSUFFICIENT_PRIVILEGE || sqlstate == ERRCODE_UNDEFINED_OBJECT ||
             sqlstate == ERRCODE_DUPLICATE_OBJECT || sqlstate == ERRCODE_RESERVED_NAME ||
             sqlstate == ERRCODE_INVALID_NAME || sqlstate == ERRCODE_WRONG_OBJECT_TYPE;
  }
}

// Raises the error of a statement again, with the context that stands around the statement.
[[noreturn]] void raise_again(const Error& error) {
  const auto text = [](const char* given) { return given == nullptr ? std::string() : std::string(given); };
  const ErrorData& data = error.data();
  const std::string context = speaks_for_itself(error.sqlstate()) ? "" : text(data.context);
  const Error bare = with_help(error, {text(data.detail), text(data.hint), context});
  guard([&] { ThrowErrorData(const_cast<ErrorData*>(&bare.data())); });
  throw bare;  // not reached: the guard throws
}

}  // namespace

Rows Statement::execute(std::initializer_list<Value> arguments, View view) {
  std::array<Datum, kMostArguments> datums{};
  std::array<char, kMostArguments> nulls{};
  size_t i = 0;
  for (const Value& argument : arguments) {
    datums[i] = argument.datum;
    nulls[i++] = argument.null ? 'n' : ' ';
  }
  const auto run = [&] {
    error_context_stack = nullptr;  // raise_again() adds what stands around; guard() puts it back
    if (plan_ == nullptr) {
      // Planned once for all: the tables' partitions make the server think that it should plan for each set of values.
      SPIPlanPtr fresh = SPI_prepare_cursor(sql_, count_, types_.data(), CURSOR_OPT_GENERIC_PLAN);
      if (fresh == nullptr) elog(ERROR, "could not plan: %s", SPI_result_code_string(SPI_result));
      if (SPI_keepplan(fresh) != 0) elog(ERROR, "could not keep a plan");
      plan_ = fresh;
    }
    const int result = view == View::kLatest
                           ? SPI_execute_snapshot(plan_, datums.data(), nulls.data(), GetLatestSnapshot(),
                                                  InvalidSnapshot, true, false, 0)
                           : SPI_execute_plan(plan_, datums.data(), nulls.data(), view == View::kPresent, 0);
    if (result < 0) elog(ERROR, "could not run a statement: %s", SPI_result_code_string(result));
    return Rows(SPI_tuptable, SPI_processed);
  };
  try {
    return guard(run);
  } catch (const Error& error) {
    raise_again(error);
  }
}

}  // namespace etl::pg
