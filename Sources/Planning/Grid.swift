import Flow

/// The steps of equal length into which the time of a plan is divided.
struct Grid {
    let count: Int
    /// In nanoseconds.
    let length: Int64

    init(_ duration: Duration) {
        count = 600
        length = max(1, duration.nanoseconds / 600)
    }

    func end(of step: Int) -> Int64 { Int64(step + 1) * length }

    /// The step of a time after the beginning of the plan.
    func step(of time: Int64) -> Int { min(count - 1, Int(time / length)) }
}
