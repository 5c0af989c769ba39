// A cover point as an assertion that fails where the point is reached (formal.py, techmap).
module \$cover (input A, EN);
  \$assert _TECHMAP_REPLACE_ (.A(~A), .EN(EN));
endmodule
