#include "pg/error.h"

#include <cstdarg>

#include "pg/guard.h"

namespace etl::pg {

struct Error::Home {
  MemoryContext context;
  ErrorData* data;

  Home(MemoryContext context, ErrorData* data) : context(context), data(data) {}
  Home(const Home&) = delete;
  Home& operator=(const Home&) = delete;
  ~Home() {
    if (context != nullptr) MemoryContextDelete(context);
  }
};

Error::Error(MemoryContext home, ErrorData* data) : home_(std::make_shared<Home>(home, data)) {}

const char* Error::what() const noexcept {
  return home_->data->message != nullptr ? home_->data->message : "unknown error";
}

const ErrorData& Error::data() const {
  return *home_->data;
}

int Error::sqlstate() const {
  return home_->data->sqlerrcode;
}

ErrorData* Error::hand_over() const {
  MemoryContextSetParent(home_->context, CurrentMemoryContext);
  home_->context = nullptr;
  return home_->data;
}

Error with_help(const Error& error, const ErrorHelp& help) {
  struct Copy {
    MemoryContext home;
    ErrorData* data;
  };
  const Copy copy = guard([&] {
    MemoryContext home = AllocSetContextCreate(TopMemoryContext, "etl_orchestrator error", ALLOCSET_SMALL_SIZES);
    const MemoryContext before = MemoryContextSwitchTo(home);
    auto* data = static_cast<ErrorData*>(palloc(sizeof(ErrorData)));
    *data = error.data();
    const auto keep = [](char** text) { *text = *text == nullptr ? nullptr : pstrdup(*text); };
    for (char** text : {&data->message, &data->detail_log, &data->backtrace, &data->schema_name, &data->table_name,
                        &data->column_name, &data->datatype_name, &data->constraint_name, &data->internalquery})
      keep(text);
    const auto given = [](const std::string& text) { return text.empty() ? nullptr : pstrdup(text.c_str()); };
    if (!help.message.empty()) data->message = given(help.message);
    data->detail = given(help.detail);
    data->hint = given(help.hint);
    data->context = given(help.context);
    data->assoc_context = home;
    MemoryContextSwitchTo(before);
    return Copy{home, data};
  });
  return {copy.home, copy.data};
}

Failure::Failure(int sqlstate, const std::string& message, std::string detail, std::string hint)
    : std::runtime_error(message), sqlstate_(sqlstate), detail_(std::move(detail)), hint_(std::move(hint)) {}

std::string format(const char* pattern, ...) {
  va_list arguments;
  va_start(arguments, pattern);
  va_list again;
  va_copy(again, arguments);
  const int length = vsnprintf(nullptr, 0, pattern, arguments);
  va_end(arguments);
  std::string text(static_cast<size_t>(std::max(length, 0)), '\0');
  vsnprintf(text.data(), text.size() + 1, pattern, again);
  va_end(again);
  return text;
}

std::string count_of(int64_t count, const char* one, const char* many) {
  return format("%lld %s", static_cast<long long>(count), count == 1 ? one : many);
}

}  // namespace etl::pg
