"""The embedded default: two hubs on loopback, real trained weights, and a tour through the whole job."""
