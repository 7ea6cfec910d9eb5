// zstd streams with bounded memory.
#include "replication/format/packing.h"

#include "base/contract.h"
#include "replication/format/limits.h"

#include <zstd.h>

namespace chapterd {
namespace {

// Level 3 with a window of 1 MiB: 4 % larger than an unbounded window on the catch-up workload, and
// a stream costs some 3 MiB only while it is open (docs/performance.md).
constexpr int level = 3;
constexpr int window_log = 20;

tl::unexpected<Error> malformed(const char* what) {
  return fail(Errc::malformed, "format.packed", what);
}

}  // namespace

struct Packer::Stream {
  ZSTD_CCtx* context = ZSTD_createCCtx();

  ~Stream() { ZSTD_freeCCtx(context); }
};

Packer::Packer() : stream_(std::make_unique<Stream>()) {
  ZSTD_CCtx_setParameter(stream_->context, ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(stream_->context, ZSTD_c_windowLog, window_log);
  ZSTD_CCtx_setParameter(stream_->context, ZSTD_c_contentSizeFlag, 0);
}

Packer::~Packer() = default;
Packer::Packer(Packer&&) noexcept = default;
Packer& Packer::operator=(Packer&&) noexcept = default;

Bytes Packer::pack(ByteView block) {
  Bytes out(ZSTD_compressBound(block.size()) + 32);
  ZSTD_inBuffer input{block.data(), block.size(), 0};
  ZSTD_outBuffer output{out.data(), out.size(), 0};
  const std::size_t left = ZSTD_compressStream2(stream_->context, &output, &input, ZSTD_e_flush);
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
