/// One metric: its name, its meaning, and its kind.
package struct MetricFamily: Equatable, Sendable {
    package enum Kind: String, Sendable {
        case counter, gauge, histogram
        /// Always 1; its labels are the information.
        case info
    }

    /// Without the `_total` or `_info` at the end of its samples' names.
    package let name: String
    package let kind: Kind
    /// The unit at the end of the name, if there is one.
    package let unit: String?
    package let help: String

    package init(_ name: String, _ kind: Kind, unit: String? = nil, _ help: String) {
        (self.name, self.kind, self.unit, self.help) = (name, kind, unit, help)
    }

    /// The name of its samples.
    package var sampleName: String {
        switch kind {
        case .counter: name + "_total"
        case .info: name + "_info"
        case .gauge, .histogram: name
        }
    }
}

extension MetricFamily {
    package static let activeStreams = MetricFamily(
        "weir_active_streams", .gauge, "Requests in progress, including those that wait for their client.")
    package static let streams = MetricFamily(
        "weir_streams", .counter, "Requests on a route that have ended, by outcome.")
    package static let streamDuration = MetricFamily(
        "weir_stream_duration_seconds", .histogram, unit: "seconds", "Time from a stream's request to its end.")
    package static let streamFirstRecord = MetricFamily(
        "weir_stream_first_record_seconds", .histogram, unit: "seconds",
        "Time from a stream's request to its first record.")
    package static let recordLateness = MetricFamily(
        "weir_record_lateness_seconds", .histogram, unit: "seconds",
        "Time from when a record was due by its pace until it was sent; of records sent together, of the first.")
    package static let requestDuration = MetricFamily(
        "weir_request_duration_seconds", .histogram, unit: "seconds",
        "Time from a request to its end, without streams and requests that were rejected on arrival.")
    package static let requestFirstByte = MetricFamily(
        "weir_request_first_byte_seconds", .histogram, unit: "seconds",
        "Time from a request to the head of its response, without streams.")
    package static let responses = MetricFamily(
        "weir_responses", .counter, "Responses that were begun, by status code.")
    package static let records = MetricFamily(
        "weir_records", .counter, "Records sent to clients, including those of open streams.")
    package static let units = MetricFamily(
        "weir_units", .counter,
        "Units of the records sent on routes with weights; of streams with a running total, once they have ended.")
    package static let bytes = MetricFamily(
        "weir_bytes", .counter, unit: "bytes", "Bytes of bodies sent to clients, including those of open streams.")
    package static let recordsFailed = MetricFamily(
        "weir_records_failed", .counter, "Records of upstreams that did not reach their client, by cause.")
    package static let clientDisconnects = MetricFamily(
        "weir_client_disconnects", .counter, "Clients that were disconnected before the end of their stream, by cause.")
    package static let bufferRecords = MetricFamily(
        "weir_buffer_records", .gauge, "Records in the queues of open streams.")
    package static let bufferBytes = MetricFamily(
        "weir_buffer_bytes", .gauge, unit: "bytes", "Bytes that open streams hold for their clients.")
    package static let bufferRecordsCapacity = MetricFamily(
        "weir_buffer_records_capacity", .gauge, "Records that open streams may hold.")
    package static let bufferBytesCapacity = MetricFamily(
        "weir_buffer_bytes_capacity", .gauge, "Bytes that open streams may hold.")
    package static let upstreamPauses = MetricFamily(
        "weir_upstream_pauses", .counter, "Times that a full queue paused an upstream, by cause.")
    package static let upstreamPaused = MetricFamily(
        "weir_upstream_paused_seconds", .counter, unit: "seconds",
        "Time that upstreams were paused, over all streams, running pauses included.")
    package static let breakerState = MetricFamily(
        "weir_breaker_state", .gauge, "Breakers in a state; of clients, only those that are not closed.")
    package static let upstreamUp = MetricFamily(
        "weir_upstream_up", .gauge, "Whether an upstream passes its health checks: 1 or 0.")
    package static let upstreamState = MetricFamily(
        "weir_upstream_state", .gauge, "The state of an upstream: 1 for the one it is in, 0 for the others.")
    package static let upstreamOpenRequests = MetricFamily(
        "weir_upstream_open_requests", .gauge, "Open streams and requests at an upstream.")
    package static let upstreamRequests = MetricFamily(
        "weir_upstream_requests", .counter, "Requests sent to an upstream, repeated ones included.")
    package static let upstreamFailures = MetricFamily(
        "weir_upstream_failures", .counter, "Requests that an upstream did not answer, or not completely.")
    package static let upstreamResponses = MetricFamily(
        "weir_upstream_responses", .counter, "Responses that an upstream has begun.")
    package static let upstreamFirstByte = MetricFamily(
        "weir_upstream_first_byte_seconds", .counter, unit: "seconds",
        "Time from requests to the begin of these responses, in all.")
    package static let breakerTrips = MetricFamily("weir_breaker_trips", .counter, "Times that a breaker opened.")
    package static let clientConnections = MetricFamily(
        "weir_client_connections", .gauge, "Open connections of clients to the public listeners.")
    package static let certificateExpiry = MetricFamily(
        "weir_certificate_expiry_timestamp_seconds", .gauge, unit: "seconds",
        "When a certificate of the server, or one of its chain, expires, in seconds since 1970.")
    package static let connectionsRejected = MetricFamily(
        "weir_connections_rejected", .counter,
        "Connections closed as soon as they were accepted, by the limit that they exceeded.")
    package static let unmeteredResponses = MetricFamily(
        "weir_unmetered_responses", .counter, "Responses to which the granted rate was not applied, by cause.")
    package static let unknownTiers = MetricFamily(
        "weir_unknown_tiers", .counter, "Requests whose client was assigned to a tier that the route does not have.")
    package static let refusals = MetricFamily(
        "weir_refusals", .counter, "Requests that got a problem of the proxy's own, by its type.")
    package static let upstreamRetries = MetricFamily(
        "weir_upstream_retries", .counter, "Requests sent to another upstream, because one failed before it responded.")
    package static let upstreamConnections = MetricFamily(
        "weir_upstream_connections", .gauge, "Connections to upstreams, active or idle.")
    package static let sharedPulls = MetricFamily(
        "weir_shared_pulls", .gauge, "Requests to upstreams that several clients share.")
    package static let sharedReaders = MetricFamily("weir_shared_readers", .gauge, "Streams that read from them.")
    package static let sharedBytes = MetricFamily(
        "weir_shared_retained_bytes", .gauge, unit: "bytes",
        "Memory of what they retain for readers that are late or slow.")
    package static let sharedLag = MetricFamily(
        "weir_shared_lag_records", .gauge, "Records by which the slowest reader is behind.")
    package static let sharedGaps = MetricFamily(
        "weir_shared_gaps", .counter, "Times that a reader fell behind what is retained and continued after a gap.")
    package static let sharingRefusals = MetricFamily(
        "weir_sharing_refusals", .counter, "Requests that were not shared although their route shares, by cause.")
    package static let replicas = MetricFamily(
        "weir_replicas", .gauge, "Instances that share limits, this one included, when the store answered last.")
    package static let redisUp = MetricFamily(
        "weir_redis_up", .gauge, "Whether limits are shared through the store now: 1 or 0.")
    package static let redisSubscribed = MetricFamily(
        "weir_redis_subscribed", .gauge, "Whether announcements of open breakers arrive now: 1 or 0.")
    package static let redisCommands = MetricFamily(
        "weir_redis_commands", .counter, "Commands to the store, answered or not.")
    package static let redisFailures = MetricFamily(
        "weir_redis_failures", .counter, "Commands that the store did not answer in time or not as expected, by cause.")
    package static let redisLosses = MetricFamily(
        "weir_redis_losses", .counter, "Times that the store went out of use.")
    package static let redisCreditRecords = MetricFamily(
        "weir_redis_credit_records", .counter, "Records granted for the time in which no instance had leased a rate.")
    package static let otlpExports = MetricFamily(
        "weir_otlp_exports", .counter, "Requests to the receiver of traces and metrics, by result.")
    package static let otlpSpans = MetricFamily(
        "weir_otlp_spans", .counter, "Spans that were recorded, by what became of them.")
    package static let otlpDataPointsRejected = MetricFamily(
        "weir_otlp_data_points_rejected", .counter,
        "Data points of metrics that the receiver rejected although it accepted the request.")
    package static let eventLoopLag = MetricFamily(
        "weir_event_loop_lag_seconds", .histogram, unit: "seconds",
        "Delay of a timer that each event loop sets every 100 ms.")
    package static let logLinesLost = MetricFamily(
        "weir_access_log_lines_lost", .counter, "Lines of the access log that were lost.")
    package static let processLogLinesLost = MetricFamily(
        "weir_process_log_lines_lost", .counter, "Lines of the process's own log that were lost.")
    package static let configGeneration = MetricFamily(
        "weir_config_generation", .gauge, "The configuration in use: 1 at the start, one more with each reload.")
    package static let configReloadSuccessful = MetricFamily(
        "weir_config_last_reload_successful", .gauge,
        "0 if a configuration was rejected since the current one was applied, else 1.")
    package static let configTaken = MetricFamily(
        "weir_config_last_reload_success_timestamp_seconds", .gauge, unit: "seconds",
        "When the current configuration was applied, in seconds since 1970.")
    package static let olderStreams = MetricFamily(
        "weir_older_config_streams", .gauge,
        "Requests in progress that began under an older configuration.")
    package static let oldestStream = MetricFamily(
        "weir_older_config_oldest_seconds", .gauge, unit: "seconds",
        "Age of the oldest of them; 0 if there is none.")
    package static let processStart = MetricFamily(
        "process_start_time_seconds", .gauge, unit: "seconds", "Start time of the process, in seconds since 1970.")
    package static let processCPU = MetricFamily(
        "process_cpu_seconds", .counter, unit: "seconds", "Processor time of the process, user and system.")
    package static let processResident = MetricFamily(
        "process_resident_memory_bytes", .gauge, unit: "bytes", "Resident memory of the process.")
    package static let processVirtual = MetricFamily(
        "process_virtual_memory_bytes", .gauge, unit: "bytes", "Virtual memory of the process.")
    package static let processDescriptors = MetricFamily(
        "process_open_fds", .gauge, "Open file descriptors of the process.")
    package static let processMaximumDescriptors = MetricFamily(
        "process_max_fds", .gauge, "The limit of open file descriptors.")
    package static let build = MetricFamily("weir_build", .info, "The version of weir and of libcurl.")
}
