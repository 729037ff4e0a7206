// The rows of a file, a batch at a time: by one query of DuckDB, or, of a CSV file whose rows may be put aside, by one
// for each of its pieces.
#pragma once

#include "files/pieces.h"
#include "files/reader.h"
#include "files/stream.h"
#include "pg/error.h"

namespace etl::files {

// Lets DuckDB find the file of a descriptor in the place of a piece.
using PutPiece = std::function<Source(const Source& piece)>;

class Input {
 public:
  struct Steps {
    std::function<std::string(const Source& source, const ReaderOptions& options, const CsvReading& reading)> query;
    Stream::Prepare prepare;     // on the reading thread
    std::function<void()> done;  // with the rows of a piece, or of a batch where there are no pieces
  };

  // `reading`: of the whole file.
  Input(const Database& database, const LoadRequest& request, const CsvReading& reading, const PutPiece& put_piece,
        Steps steps);

  // The next batch; none after the last. Throws QueryError, about source(), and what Stream::next() does.
  std::optional<Batch> next();

  // The piece that is being read; null: it is the whole file.
  const Piece* piece() const { return piece_ ? &*piece_ : nullptr; }
  const Source& source() const { return source_; }

  // Ends the reading.
  void stop() { stream_.reset(); }

 private:
  void begin();
  void begin_piece();
  void look_ahead(Piece spare);
  void read(const ReaderOptions& options, const CsvReading& reading);

  const Database& database_;
  const LoadRequest& request_;
  const CsvReading reading_;
  const PutPiece& put_piece_;
  const Steps steps_;
  bool has_begun_ = false;
  std::optional<Pieces> pieces_;
  std::optional<Piece> piece_;
  std::optional<Piece> next_piece_;
  std::optional<pg::Failure> next_failure_;  // in place of it
  Source source_;
  std::optional<Stream> stream_;
};

}  // namespace etl::files
