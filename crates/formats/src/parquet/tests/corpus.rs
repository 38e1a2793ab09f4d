//! parquet-testing: every readable file has the rows that an independent
//! reader (pyarrow) has, every other one is refused for what is wrong with it.

use std::path::PathBuf;

use super::*;

/// Files, their rows, and a checksum of all values in their order. The values
/// behind each checksum were compared with pyarrow's, one by one; where
/// pyarrow cannot show them (days beyond the year 9999, a map whose keys may
/// be NULL) with what the corpus says of the file.
#[rustfmt::skip]
const READABLE: [(&str, u64, u64); 73] = [
    ("ARROW-GH-43605.parquet", 21186, 0x2d1f_2685_bf70_08bf),
    ("alltypes_dictionary.parquet", 2, 0xbd0b_db0c_6f3c_83bd),
    ("alltypes_plain.parquet", 8, 0xeacf_46f1_f70c_eee5),
    ("alltypes_plain.snappy.parquet", 2, 0xeee8_56eb_9f7b_f099),
    ("alltypes_tiny_pages.parquet", 7300, 0xdb9e_b0b7_4d22_558d),
    ("alltypes_tiny_pages_plain.parquet", 7300, 0xdb9e_b0b7_4d22_558d),
    ("binary.parquet", 12, 0xf925_379c_cacd_aaeb),
    ("binary_truncated_min_max.parquet", 12, 0xba6c_0a31_3f28_9ed1),
    ("byte_array_decimal.parquet", 24, 0x145c_9a79_a3b8_cb0d),
    ("byte_stream_split.zstd.parquet", 300, 0xd264_0e24_2b2e_ba0d),
    ("byte_stream_split_extended.gzip.parquet", 200, 0x10c5_1744_7eb2_7845),
    ("column_chunk_key_value_metadata.parquet", 0, 0xcbf2_9ce4_8422_2325),
    ("concatenated_gzip_members.parquet", 513, 0x7c89_40ce_7cf8_71c5),
    ("data_index_bloom_encoding_stats.parquet", 14, 0xf10c_46c1_1dce_1ebc),
    ("data_index_bloom_encoding_with_length.parquet", 14, 0xf10c_46c1_1dce_1ebc),
    ("datapage_v1-snappy-compressed-checksum.parquet", 5120, 0x5585_2982_9178_ee75),
    ("datapage_v1-uncompressed-checksum.parquet", 5120, 0x5585_2982_9178_ee75),
    ("datapage_v2.snappy.parquet", 5, 0x54e1_afd8_046d_d304),
    ("datapage_v2_empty_datapage.snappy.parquet", 1, 0xa02c_43c2_4f8c_3647),
    ("delta_binary_packed.parquet", 200, 0x8cf2_19d7_0712_349e),
    ("delta_byte_array.parquet", 1000, 0xa05b_197f_8a03_f53c),
    ("delta_encoding_optional_column.parquet", 100, 0x40e3_4e9a_6c07_b4f6),
    ("delta_encoding_required_column.parquet", 100, 0x701f_2b2c_9742_700e),
    ("delta_length_byte_array.parquet", 1000, 0xc7e0_83dd_b1fe_97c1),
    // Its writer used a field of the metadata for something of its own.
    ("dict-page-offset-zero.parquet", 39, 0x4eeb_4df4_62ab_2939),
    ("fixed_length_byte_array.parquet", 1000, 0x076c_a53e_b125_d31a),
    ("fixed_length_decimal.parquet", 24, 0x145c_9a79_a3b8_cb0d),
    ("fixed_length_decimal_legacy.parquet", 24, 0x145c_9a79_a3b8_cb0d),
    ("float16_nonzeros_and_nans.parquet", 8, 0x3529_7ec4_2e0f_deb2),
    ("float16_zeros_and_nans.parquet", 3, 0x53ee_cb85_70d6_c7c5),
    ("floating_orders_nan_count.parquet", 50, 0x20ce_1790_2cea_5921),
    ("geospatial/crs-arbitrary-value.parquet", 1, 0x321a_4a3d_0a88_e514),
    ("geospatial/crs-default.parquet", 1, 0xb5d1_320b_a5a0_bd66),
    ("geospatial/crs-geography.parquet", 1, 0x030f_3751_aab1_2ebe),
    ("geospatial/crs-projjson.parquet", 1, 0x321a_4a3d_0a88_e514),
    ("geospatial/crs-srid.parquet", 1, 0x321a_4a3d_0a88_e514),
    ("geospatial/geography-lines.parquet", 499, 0xbc00_1d2f_2d74_ee27),
    ("geospatial/geography-points.parquet", 500, 0x265e_4dea_07be_67e7),
    ("geospatial/geography-polygons.parquet", 500, 0x217d_2cc9_8f6a_4b3f),
    ("geospatial/geospatial-with-nan.parquet", 3, 0xd54c_b6ad_6a04_4065),
    ("geospatial/geospatial.parquet", 196, 0x8b2e_d528_d09d_70e5),
    ("hadoop_lz4_compressed.parquet", 4, 0x0b1d_07f9_c1b0_198f),
    ("hadoop_lz4_compressed_larger.parquet", 10000, 0xb000_d5d1_2b4b_4595),
    ("incorrect_map_schema.parquet", 1, 0x8619_479a_85bf_4324),
    ("int32_decimal.parquet", 24, 0x145c_9a79_a3b8_cb0d),
    ("int32_with_null_pages.parquet", 1000, 0x64e9_e3a2_4f8c_918a),
    ("int64_decimal.parquet", 24, 0x145c_9a79_a3b8_cb0d),
    ("int96_from_spark.parquet", 6, 0x81c3_0eee_b60c_f108),
    ("list_columns.parquet", 3, 0x625d_09af_eed4_911c),
    ("lz4_raw_compressed.parquet", 4, 0x0b1d_07f9_c1b0_198f),
    ("lz4_raw_compressed_larger.parquet", 10000, 0xb000_d5d1_2b4b_4595),
    ("map_no_value.parquet", 3, 0x57f2_4101_3df0_e88d),
    ("nan_in_stats.parquet", 2, 0xa9da_2d22_4a29_6829),
    ("nation.dict-malformed.parquet", 25, 0x3e65_a3c8_8f31_007c),
    ("nested_lists.snappy.parquet", 3, 0xe808_9bab_01ad_70d6),
    ("nested_maps.snappy.parquet", 6, 0xa4b1_9b51_02dd_738e),
    ("nested_structs.rust.parquet", 1, 0x2b09_ca34_5963_2ed4),
    ("non_hadoop_lz4_compressed.parquet", 4, 0x0b1d_07f9_c1b0_198f),
    ("nonnullable.impala.parquet", 1, 0xd985_4c42_062a_ecbb),
    ("null_list.parquet", 1, 0x9889_efb2_e7be_0abe),
    ("nullable.impala.parquet", 7, 0x3770_7a9a_735b_c50c),
    ("nulls.snappy.parquet", 8, 0x9919_cb41_f7f7_a155),
    ("old_list_structure.parquet", 1, 0xc123_c2ee_ee27_a7e8),
    ("overflow_i16_page_cnt.parquet", 40000, 0xf4e9_0b5d_d056_8525),
    ("page_v2_empty_compressed.parquet", 10, 0xd76b_83ab_ddaf_7dcd),
    ("plain-dict-uncompressed-checksum.parquet", 1000, 0xb8b8_5733_e779_dba5),
    ("repeated_no_annotation.parquet", 6, 0x9a7a_8191_6b14_c909),
    ("repeated_primitive_no_list.parquet", 4, 0x4614_a64f_dc0a_8205),
    ("rle-dict-snappy-checksum.parquet", 1000, 0x4899_524d_c359_e8a5),
    ("rle_boolean_encoding.parquet", 68, 0xb1c9_3f4f_c40f_e535),
    ("single_nan.parquet", 1, 0xad29_c67d_1969_b4d2),
    ("sort_columns.parquet", 6, 0xbdc2_81ea_5097_1457),
    ("unknown-logical-type.parquet", 3, 0x8a16_6924_a005_f489),
];

/// Files, and a part of the sentence that refuses them.
const REFUSED: [(&str, &str); 23] = [
    ("datapage_v1-corrupt-checksum.parquet", "checksum is not right"),
    ("rle-dict-uncompressed-corrupt-checksum.parquet", "checksum is not right"),
    // A page of a gigabyte: the one valid file beyond the memory bound.
    ("large_string_map.brotli.parquet", "bytes of memory that one file may take"),
    ("encrypt_columns_and_footer.parquet.encrypted", "is encrypted"),
    ("encrypt_columns_and_footer_aad.parquet.encrypted", "is encrypted"),
    ("encrypt_columns_and_footer_bloom_filter.parquet.encrypted", "is encrypted"),
    ("encrypt_columns_and_footer_ctr.parquet.encrypted", "is encrypted"),
    ("encrypt_columns_and_footer_disable_aad_storage.parquet.encrypted", "is encrypted"),
    ("encrypt_columns_plaintext_footer.parquet.encrypted", "is encrypted"),
    ("aes256/encrypt_columns_and_footer.parquet.encrypted", "is encrypted"),
    ("aes256/encrypt_columns_and_footer_ctr.parquet.encrypted", "is encrypted"),
    ("aes256/encrypt_columns_and_footer_disable_aad_storage.parquet.encrypted", "is encrypted"),
    ("aes256/encrypt_columns_plaintext_footer.parquet.encrypted", "is encrypted"),
    ("aes256/uniform_encryption.parquet.encrypted", "is encrypted"),
    ("uniform_encryption.parquet.encrypted", "is encrypted"),
    ("external_key_material_java.parquet.encrypted", "is encrypted"),
    ("ARROW-GH-41317.parquet", "its footer is not right"),
    ("ARROW-GH-41321.parquet", "bit width"),
    ("ARROW-GH-45185.parquet", "repetition level"),
    ("ARROW-GH-47662.parquet", "payload length"),
    ("ARROW-RS-GH-6229-DICTHEADER.parquet", "the place of column `region_key`"),
    ("ARROW-RS-GH-6229-LEVELS.parquet", "repetition levels"),
    ("PARQUET-1481.parquet", "its footer is not right"),
];

/// The corpus; `None` when nobody asked for one and there is none.
fn corpus() -> Option<PathBuf> {
    match std::env::var_os("DECANT_CORPORA") {
        Some(corpora) => Some(PathBuf::from(corpora).join("parquet-testing")),
        None => {
            let shared = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
            shared.exists().then(|| shared.join("parquet-testing"))
        }
    }
}

fn read(corpus: &std::path::Path, name: &str) -> Vec<u8> {
    let places = ["data", "bad_data"].map(|folder| corpus.join(folder).join(name));
    let found = places.iter().find_map(|path| std::fs::read(path).ok());
    found.unwrap_or_else(|| panic!("{name} is not in {}", corpus.display()))
}

#[test]
fn readable_files_have_the_right_values() {
    let Some(corpus) = corpus() else {
        println!("DECANT_CORPORA is not set: the corpus was not read");
        return;
    };
    let wrong: Vec<String> = READABLE
        .iter()
        .filter_map(|(name, rows, checksum)| match load(&read(&corpus, name)) {
            Ok(loaded) if (loaded.rows_read, loaded.checksum()) == (*rows, *checksum) => None,
            Ok(loaded) => {
                let (rows, checksum) = (loaded.rows_read, loaded.checksum());
                Some(format!("{name}: {rows} rows, {checksum:016x}, {:?}", loaded.rows.first()))
            }
            Err(error) => Some(format!("{name}: {}", error.chain())),
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn other_files_are_refused_for_what_is_wrong_with_them() {
    let Some(corpus) = corpus() else {
        println!("DECANT_CORPORA is not set: the corpus was not read");
        return;
    };
    for (name, why) in REFUSED {
        let error = load(&read(&corpus, name)).err().unwrap_or_else(|| panic!("{name} was read"));
        assert!(error.chain().contains(why), "{name}: {}", error.chain());
    }
}

#[test]
fn every_file_of_the_corpus_is_in_the_catalogue() {
    let Some(corpus) = corpus() else {
        println!("DECANT_CORPORA is not set: the corpus was not read");
        return;
    };
    let known = |name: &str| {
        READABLE.iter().any(|(known, ..)| *known == name)
            || REFUSED.iter().any(|(known, _)| *known == name)
    };
    for (folder, before) in [
        ("data", ""),
        ("data/geospatial", "geospatial/"),
        ("data/aes256", "aes256/"),
        ("bad_data", ""),
    ] {
        for entry in std::fs::read_dir(corpus.join(folder)).unwrap() {
            let name = format!("{before}{}", entry.unwrap().file_name().to_string_lossy());
            let is_file = name.ends_with(".parquet") || name.ends_with(".parquet.encrypted");
            assert!(!is_file || known(&name), "{name}");
        }
    }
}

#[test]
fn types_are_the_best_that_keep_the_values() {
    let Some(corpus) = corpus() else {
        println!("DECANT_CORPORA is not set: the corpus was not read");
        return;
    };
    for (name, types) in [
        ("byte_array_decimal.parquet", "value decimal(4,2)"),
        ("fixed_length_decimal.parquet", "value decimal(25,2)"),
        ("concatenated_gzip_members.parquet", "long_col decimal(20,0)"),
        ("float16_nonzeros_and_nans.parquet", "x float32"),
        ("list_columns.parquet", "int64_list int64[], utf8_list text[]"),
        ("datapage_v2.snappy.parquet", "a text, b int32, c float64, d bool, e int32[]"),
        // It has a day of the year 290000.
        ("int96_from_spark.parquet", "a text"),
    ] {
        assert_eq!(load(&read(&corpus, name)).unwrap().types(), types, "{name}");
    }
}
