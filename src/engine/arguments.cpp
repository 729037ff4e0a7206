#include "engine/arguments.h"

#include "pg/clock.h"
#include "pg/guard.h"

extern "C" {
#include "funcapi.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace etl {

std::optional<std::string> text_argument(FunctionCallInfo fcinfo, int number) {
  if (PG_ARGISNULL(number)) return std::nullopt;
  const char* argument = pg::guard([&] { return text_to_cstring(PG_GETARG_TEXT_PP(number)); });
  return std::string(argument);
}

std::string json_argument(FunctionCallInfo fcinfo, int number) {
  const Datum argument = PG_GETARG_DATUM(number);
  const char* text = pg::guard([&] {
    Jsonb* value = DatumGetJsonbP(argument);
    return JsonbToCString(nullptr, &value->root, static_cast<int>(VARSIZE(value)));
  });
  return text;
}

std::optional<std::vector<std::string>> texts_argument(FunctionCallInfo fcinfo, int number, const char* name) {
  if (PG_ARGISNULL(number)) return std::nullopt;
  return pg::texts_of(PG_GETARG_DATUM(number), name);
}

namespace {

[[noreturn]] void fail_not_given(FunctionCallInfo fcinfo, int number) {
  const Oid function = fcinfo->flinfo->fn_oid;
  const char* name = pg::guard([&]() -> const char* {
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for function %u", function);
    Oid* types;
    char** names;
    char* modes;
    const int count = get_func_arg_info(tuple, &types, &names, &modes);
    ReleaseSysCache(tuple);
    return names != nullptr && number < count ? names[number] : "";
  });
  throw pg::Failure(ERRCODE_NULL_VALUE_NOT_ALLOWED, pg::format("argument \"%s\" must be given", name));
}

}  // namespace

Datum required_argument(FunctionCallInfo fcinfo, int number) {
  if (PG_ARGISNULL(number)) fail_not_given(fcinfo, number);
  return PG_GETARG_DATUM(number);
}

std::string required_text(FunctionCallInfo fcinfo, int number) {
  auto text = text_argument(fcinfo, number);
  if (!text || text->empty()) fail_not_given(fcinfo, number);
  return *std::move(text);
}

std::string required_json(FunctionCallInfo fcinfo, int number) {
  required_argument(fcinfo, number);
  return json_argument(fcinfo, number);
}

bool flag_argument(FunctionCallInfo fcinfo, int number) {
  return !PG_ARGISNULL(number) && PG_GETARG_BOOL(number);
}

std::optional<std::string> interval_argument(FunctionCallInfo fcinfo, int number) {
  if (PG_ARGISNULL(number)) return std::nullopt;
  const Interval interval = *PG_GETARG_INTERVAL_P(number);
  return pg::format("%d months %d days %lld microseconds", interval.month, interval.day,
                    static_cast<long long>(interval.time));
}

int64_t deadline_argument(FunctionCallInfo fcinfo, int number) {
  if (PG_ARGISNULL(number)) return 0;
  const Datum interval = PG_GETARG_DATUM(number);
  const TimestampTz begin = GetCurrentTimestamp();
  const TimestampTz end = pg::guard([&] {
    return DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval, TimestampTzGetDatum(begin), interval));
  });
  return pg::monotonic_ms() + (end <= begin ? 0 : (end - begin) / 1000 + 1);
}

Datum text_result(const std::string& text) {
  return pg::guard(
      [&] { return PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size()))); });
}

void require_no_block(FunctionCallInfo fcinfo, const char* what, const char* instead) {
  const auto* context = reinterpret_cast<const CallContext*>(fcinfo->context);
  if (context != nullptr && IsA(context, CallContext) && !context->atomic) return;
  throw pg::Failure(ERRCODE_ACTIVE_SQL_TRANSACTION,
                    pg::format("%s cannot be started and awaited inside a transaction block", what),
                    "Its jobs run in other sessions, which see nothing of an open transaction.",
                    pg::format("CALL it outside a transaction block and as the only statement, or start it in the "
                               "background with %s, which begins when the transaction commits.",
                               instead));
}

void require_writable(FunctionCallInfo fcinfo) {
  if (!XactReadOnly) return;
  const Oid function = fcinfo->flinfo->fn_oid;
  pg::guard([&] {
    const char* name = psprintf("setup.%s()", get_func_name(function));
    PreventCommandIfReadOnly(name);
  });
}

void return_rows(FunctionCallInfo fcinfo, const std::vector<std::vector<pg::Value>>& rows) {
  constexpr size_t kMostColumns = 16;
  pg::guard([&] { InitMaterializedSRF(fcinfo, 0); });
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  for (const std::vector<pg::Value>& row : rows) {
    Datum datums[kMostColumns];
    bool nulls[kMostColumns];
    for (size_t i = 0; i < row.size(); ++i) {
      datums[i] = row[i].datum;
      nulls[i] = row[i].null;
    }
    pg::guard([&] { tuplestore_putvalues(result->setResult, result->setDesc, datums, nulls); });
  }
}

}  // namespace etl
