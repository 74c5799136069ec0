/** Frames and the hello that opens every connection. */
