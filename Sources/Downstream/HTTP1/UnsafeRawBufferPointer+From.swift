extension UnsafeRawBufferPointer {
    /// The bytes from `start` on, of which nothing is copied.
    func from(_ start: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self[start...]) }
}
