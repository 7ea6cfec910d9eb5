// Streaming zstd (RFC 8878) for SEG frames: one stream an audience, so that nothing secret of one
// audience can be guessed from the packed size of another.
#pragma once

#include "base/bytes.h"
#include "base/result.h"

#include <memory>

namespace chapterd {

// Packs blocks that follow each other; later blocks refer back to earlier ones. Not thread-safe.
class Packer {
 public:
  Packer();
  ~Packer();
  Packer(Packer&&) noexcept;
  Packer& operator=(Packer&&) noexcept;

  // The packed form of one block, complete in itself as soon as the ones before it are unpacked.
  [[nodiscard]] Bytes pack(ByteView block);

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
};

// The other side of one Packer. Not thread-safe.
class Unpacker {
 public:
  Unpacker();
  ~Unpacker();
  Unpacker(Unpacker&&) noexcept;
  Unpacker& operator=(Unpacker&&) noexcept;

  // Unpacks one block into exactly `size` bytes. Errc::malformed when it is damaged, has another
  // size, is larger than limits::frame_bytes or more than limits::frame_ratio times the packed
  // size.
  [[nodiscard]] Result<Bytes> unpack(ByteView packed, std::uint64_t size);

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
};

}  // namespace chapterd
