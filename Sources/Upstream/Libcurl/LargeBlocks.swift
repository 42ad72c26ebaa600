import CCurl
package import Flow

/// How the process's allocator treats large blocks: queues and batches of large records.
package enum LargeBlocks {
    /// Returns each block of at least this size to the system when it is freed; for the whole process, from now on.
    ///
    /// `limits.max_buffer_bytes` bounds the memory of the process only if what streams gave back does not stay in the heap.
    package static func returnToSystem(from smallest: ByteCount = .kibibytes(256)) {
        weir_map_large_blocks(smallest.bytes)
    }
}
