// zstd streams with bounded memory.
#include "replication/format/packing.h"

#include "base/contract.h"
#include "replication/format/limits.h"

#include <zstd.h>

#include <utility>
#include <vector>

namespace chapterd {
namespace {

// Level 3 with a window of 1 MiB: 4 % larger than an unbounded window on the catch-up workload, and
// a stream costs some 3 MiB only while it is open (docs/performance.md).
constexpr int level = 3;
constexpr int window_log = 20;

tl::unexpected<Error> malformed(const char* what) {
  return fail(Errc::malformed, "format.packed", what);
}

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

using Context = std::unique_ptr<ZSTD_CCtx, FreeContext>;

// Of streams that are over. Beginning one costs a session more than all else while its tables are
// new to the process: they are cleared, page by page.
std::vector<Context>& spare_contexts() {
  thread_local std::vector<Context> spare;
  return spare;
}

constexpr std::size_t most_spare = 4;  // a thread

Context new_context() {
  Context context(ZSTD_createCCtx());
  CHECK(context != nullptr);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_windowLog, window_log);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_contentSizeFlag, 0);
  return context;
}

Context take_context() {
  std::vector<Context>& spare = spare_contexts();
  if (spare.empty()) return new_context();
  Context context = std::move(spare.back());
  spare.pop_back();
  return context;
}

}  // namespace

struct Packer::Stream {
  Context context = take_context();

  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  ~Stream() {
    std::vector<Context>& spare = spare_contexts();
    ZSTD_CCtx_reset(context.get(), ZSTD_reset_session_only);
    if (spare.size() < most_spare) spare.push_back(std::move(context));
  }
};

Packer::Packer() : stream_(std::make_unique<Stream>()) {}

Packer::~Packer() = default;
Packer::Packer(Packer&&) noexcept = default;
Packer& Packer::operator=(Packer&&) noexcept = default;

Bytes Packer::pack(ByteView block) {
  Bytes out(ZSTD_compressBound(block.size()) + 32);
  ZSTD_inBuffer input{block.data(), block.size(), 0};
  ZSTD_outBuffer output{out.data(), out.size(), 0};
  const std::size_t left =
      ZSTD_compressStream2(stream_->context.get(), &output, &input, ZSTD_e_flush);
  CHECK(ZSTD_isError(left) == 0U && left == 0 && input.pos == input.size);
  out.resize(output.pos);
  return out;
}

struct Unpacker::Stream {
  ZSTD_DCtx* context = ZSTD_createDCtx();

  ~Stream() { ZSTD_freeDCtx(context); }
};

Unpacker::Unpacker() : stream_(std::make_unique<Stream>()) {
  ZSTD_DCtx_setParameter(stream_->context, ZSTD_d_windowLogMax, window_log);
}

Unpacker::~Unpacker() = default;
Unpacker::Unpacker(Unpacker&&) noexcept = default;
Unpacker& Unpacker::operator=(Unpacker&&) noexcept = default;

Result<Bytes> Unpacker::unpack(ByteView packed, std::uint64_t size) {
  if (size > limits::frame_bytes || size > packed.size() * limits::frame_ratio) {
    return malformed("A packed block claims an impossible size.");
  }
  Bytes out(size + 1);  // one byte of room shows a block that is longer than it says
  ZSTD_inBuffer input{packed.data(), packed.size(), 0};
  ZSTD_outBuffer output{out.data(), out.size(), 0};
  while (input.pos < input.size && output.pos < output.size) {
    if (ZSTD_isError(ZSTD_decompressStream(stream_->context, &output, &input)) != 0U) {
      return malformed("A packed block is damaged.");
    }
  }
  if (input.pos != input.size || output.pos != size)
    return malformed("A packed block has another size than it says.");
  out.resize(size);
  return out;
}

}  // namespace chapterd
