/** Ids in the examples of `docs/configuration.md`. */
export const ID = "2f6c9a1e-5d0b-4c7e-9a43-0b1d2e3f4a5b";
export const CLIENT = "7a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d";
export const GROUP = "c0ffee00-1234-4abc-8def-0123456789ab";
export const EXTENSION = "extension_7a1b2c3d4e5f4a6b8c7d9e0f1a2b3c4d_costCentre";
