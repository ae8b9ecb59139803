/** The part of dcmjs that the gateway uses; the package ships no types. */
declare module "dcmjs" {
  interface DictionaryEntry {
    tag: string;
    vr: string;
    vm: string;
    name: string;
  }
  const dcmjs: {
    data: {
      DicomMetaDictionary: {
        /** By tag, written `(0010,0010)`. */
        dictionary: Record<string, DictionaryEntry | undefined>;
        /** By keyword. */
        nameMap: Record<string, DictionaryEntry | undefined>;
        /** From the DICOM JSON Model to an object by keyword. */
        naturalizeDataset(dataset: object): Record<string, unknown>;
      };
    };
    log: { setLevel(level: string): void };
  };
  export default dcmjs;
}
